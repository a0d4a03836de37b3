# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes gdb print shapes, operands, ops and plans as a reader wants them.

    (gdb) source tools/gdb/vfi.py
    (gdb) print op->dst.shape      $1 = 96x80x160
    (gdb) print *op                $2 = conv "block0.conv0.0.0": frame0+0 7x160x320 -> …
    (gdb) vfi-plan plan            one line per op, by segment and row group

Names of fields that a build does not have are left out, never an error. Needs debug information
(meson setup -Dbuildtype=debugoptimized, the default) and a gdb with Python.
"""
import gdb
import gdb.printing

REGIONS = ["ARENA", "FRAME0", "PAIR", "STATE", "NEXT_STATE", "ROWS"]

# Parameters in VfiOp's union whose name is not their kind's.
PARAMETERS = {
    "deconv": "conv", "conv_transpose": "conv", "activate": "activation", "max_abs": "scalar",
    "add": "affine", "sub": "affine", "resize": "affine", "time": "affine", "image_mean": "affine",
}


def field(value, name):
    """The field, or None where the type has no such field or its memory cannot be read."""
    try:
        found = value[name]
        found.fetch_lazy()
        return found
    except (gdb.error, KeyError, TypeError):
        return None


def number(value, name):
    found = field(value, name)
    return None if found is None else int(found)


def text(value, name):
    pointer = field(value, name)
    try:
        return pointer.string() if pointer else ""
    except (gdb.error, UnicodeDecodeError):
        return "?"


def items(value, name, count):
    """(index, item) of an array that a pointer and a number describe."""
    first, n = field(value, name), number(value, count)
    if first is None or not n:
        return
    for i in range(n):
        try:
            item = first[i]
            item.fetch_lazy()
        except gdb.error:
            return
        yield i, item


def kind_name(op):
    kind = field(op, "kind")
    return "op" if kind is None else str(kind).replace("VFI_OP_", "").lower()


def region_name(region):
    for name in REGIONS:
        try:
            first = int(gdb.parse_and_eval(f"VFI_REGION_{name}"))
        except gdb.error:
            continue
        if region == first:
            return name.lower()
        if name == "FRAME0" and first < region < first + 8:
            return f"frame{region - first}"
    return f"region{region}"


def shape_text(shape):
    sizes = [number(shape, name) for name in "chw"]
    return "x".join("?" if size is None else str(size) for size in sizes)


def operand_text(operand):
    region, offset, block = (number(operand, name) for name in ("region", "offset", "block"))
    words = []
    if region is not None:
        words.append(f"{region_name(region)}+{offset or 0}")
    shape = field(operand, "shape")
    words.append("?" if shape is None else shape_text(shape))
    if block and block > 1:
        words.append(f"block {block}")
    if number(operand, "half"):
        words.append("f16")
    return " ".join(words)


def scalars(value, prefix=""):
    """name=value of all numbers and enums that are not zero, those of inner structs too."""
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_STRUCT:
        for inner in kind.fields():
            found = field(value, inner.name)
            if found is not None:
                yield from scalars(found, prefix + inner.name + ".")
    elif kind.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_FLT, gdb.TYPE_CODE_BOOL,
                       gdb.TYPE_CODE_ENUM) and value:
        shown = str(value)
        yield f"{prefix[:-1]}={shown}" if prefix else shown


def parameters_text(op):
    """What the kind's member of the union holds; nothing where there is no such member."""
    kind = kind_name(op)
    for union in (field(op, "params"), field(op, "u"), op):
        for member in (kind, PARAMETERS.get(kind)):
            parameters = field(union, member) if union is not None and member else None
            if parameters is not None:
                return " ".join(scalars(parameters))
    return ""


def op_text(op):
    sources = field(op, "src")
    try:
        shown = [operand_text(sources[i]) for i in range(number(op, "n_src") or 0)]
    except (gdb.error, TypeError):
        shown = ["?"]
    destination = field(op, "dst")
    name, parameters = text(op, "name"), parameters_text(op)
    return (kind_name(op) + (f' "{name}"' if name else "") + ": " +
            ", ".join(shown) + " -> " +
            ("?" if destination is None else operand_text(destination)) +
            (f" [{parameters}]" if parameters else ""))


def run_text(value):
    """Of a segment or a row group: its ops, and of a loop how often they run."""
    first, n = number(value, "first_op"), number(value, "n_ops")
    if first is None or n is None:
        return "?"
    rounds = number(value, "rounds")
    return ((f"ops {first}..{first + n - 1}" if n else "no ops") +
            (f", {rounds} rounds" if rounds and rounds > 1 else ""))


def plan_text(plan):
    words = [f"{what.replace('_', ' ')}: {number(plan, 'n_' + what)}" for what in
             ("ops", "segments", "row_groups", "outputs", "scalars")
             if number(plan, "n_" + what) is not None]
    words += [f"{what} bytes: {number(plan, what + '_bytes')}"
              for what in ("arena", "frame", "pair", "state")
              if number(plan, what + "_bytes")]
    return ", ".join(words)


class TextPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return self.text(self.value)


class PlanPrinter(TextPrinter):
    text = staticmethod(plan_text)

    def children(self):
        for what in ("segments", "row_groups", "ops"):
            for i, item in items(self.value, what, "n_" + what):
                yield f"{what}[{i}]", item


def printer(convert):
    return type("Printer", (TextPrinter,), {"text": staticmethod(convert)})


class PlanCommand(gdb.Command):
    """vfi-plan EXPRESSION: a VfiPlan or a pointer to one, one line per op."""

    def __init__(self):
        super().__init__("vfi-plan", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        plan = gdb.parse_and_eval(argument)
        if plan.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            plan = plan.dereference()
        starts = {}
        for what in ("segments", "row_groups"):
            for i, item in items(plan, what, "n_" + what):
                starts.setdefault(number(item, "first_op"), []).append(
                    f"{what[:-1].replace('_', ' ')} {i}: {run_text(item)}")
        gdb.write(plan_text(plan) + "\n")
        for i, op in items(plan, "ops", "n_ops"):
            for line in starts.get(i, []):
                gdb.write(f"-- {line}\n")
            gdb.write(f"{i:4} {op_text(op)}\n")
        for i, output in items(plan, "outputs", "n_outputs"):
            operand = field(output, "operand")
            gdb.write(f'output "{text(output, "name")}": '
                      f'{"?" if operand is None else operand_text(operand)}\n')


def collection():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("vfi")
    for name, convert in {"VfiShape": shape_text, "VfiOperand": operand_text, "VfiOp": op_text,
                          "VfiPlanSegment": run_text, "VfiRowGroup": run_text}.items():
        printers.add_printer(name, f"^{name}$", printer(convert))
    printers.add_printer("VfiPlan", "^VfiPlan$", PlanPrinter)
    return printers


gdb.printing.register_pretty_printer(None, collection(), replace=True)
PlanCommand()
