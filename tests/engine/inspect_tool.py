#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""inspect_tool.py VFI_INSPECT WRITE_CHECKPOINT INSPECT_LOOP: what vfi-inspect says about models
and their plans, about files that are none, and about the system."""
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import still_rife  # noqa: E402
from tap import check, finish  # noqa: E402

# The planner's passes in their order.
PASSES = ["mark-alive", "fuse", "split-convs", "pin-outputs", "pin-states", "widen-inputs",
          "narrow-outputs", "find-joins", "choose-layouts", "join-parts", "mark-halves",
          "narrow-outputs", "narrow-shuffles", "share-sums", "work-in-place",
          "find-cheap-values", "place-views", "group-rows", "lay-out-rows",
          "compute-lifetimes", "lay-out-outputs", "lay-out-arena", "emit"]
MIB = 2 ** 20


def inspect(*arguments, **environment):
    return subprocess.run([sys.argv[1], *map(str, arguments)], text=True, capture_output=True,
                          env={**os.environ, **environment})


def says(what, run, *texts):
    check(run.returncode == 0 and run.stderr == "" and all(text in run.stdout for text in texts),
          what, run)


def refuses(what, run, *texts, status=1):
    check(run.returncode == status and all(text in run.stderr for text in texts), what, run)


def write_checkpoint(family: str, path: Path) -> Path:
    written = subprocess.run([sys.argv[2], family], text=True, capture_output=True, check=True)
    shutil.move(written.stdout.strip(), path)
    return path


def reshape(source: Path, target: Path, tensor: str, shape: list[int]) -> Path:
    """Copies a safetensors file with another shape, of as many elements, for one tensor."""
    data = source.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header[tensor]["shape"] = shape
    text = json.dumps(header, separators=(",", ":")).encode()
    target.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size:])
    return target


def test_models(rife: Path):
    says("a RIFE 4.0 file", inspect(rife), "container:   safetensors", "elements, f32",
         "family:      rife", "variant:     4.0", "parameters:  5160980 used, 19.7 MiB",
         "times:       any", "flow scale:  yes", "multiples of 64 at scale 1",
         # 83.7 GMAC at 1920×1088, counted on the network's source
         "cost:        40.06 GMAC a megapixel",
         "ensemble         boolean, default false", "pad-multiple     uint, 0 to 1024, default 0")
    says("what a size needs", inspect(rife, "--size", "1920x1080"),
         "padded to 1920×1088, scale 1", "work           83.7 GMAC", "MiB a frame, for 2 frames",
         "MiB in all")
    says("what it needs at another scale", inspect(rife, "--size", "1920x1080", "--scale", "0.5"),
         "padded to 1920×1152, scale 0.5")
    says("a family without weights", inspect("blend"), "family:      blend", "variant:     none",
         "options:     none")


def test_refusals(folder: Path, rife: Path):
    weight = "block2.convblock.3.0.weight"
    mixed = reshape(rife, folder / "mixed.safetensors", weight, [48, 192, 3, 3])
    run = inspect(mixed)
    refuses("a tensor of another shape", run, "mixed.safetensors: as rife 4.0", weight,
            "should be 96x96x3x3, but the checkpoint has 48x192x3x3")
    check("container:   safetensors" in run.stdout, "its container is shown nevertheless", run)
    truncated = folder / "truncated.safetensors"
    truncated.write_bytes(rife.read_bytes()[:-4])
    refuses("a truncated file", inspect(truncated), "truncated.safetensors", "is truncated or")
    text = folder / "notes.txt"
    text.write_text("RIFE is a network.\n")
    refuses("a text file", inspect(text), "notes.txt", "begins with", "RIFE is a net")
    refuses("a missing file", inspect(folder / "none.pkl"), "there is no model file", "none.pkl")
    refuses("a folder without a model", inspect(folder), "flownet.param")
    run = inspect(text, rife)
    check(run.returncode == 1 and "variant:     4.0" in run.stdout,
          "one that does not load does not hide the next", run)
    for what, arguments, word in (("nothing asked", (), "--system"),
                                  ("an odd size", (rife, "--size", "64"), "WIDTHxHEIGHT"),
                                  ("an unknown option", ("--speed",), "--speed")):
        refuses(what, inspect(*arguments), word, status=2)
    refuses("an odd scale", inspect(rife, "--size", "64x64", "--scale", "9"), "scale 9")


def write_zeros(path: Path, shapes: dict[str, list[int]]) -> Path:
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    return path


def test_parts(folder: Path, rife: Path):
    path = write_zeros(folder / "parts.safetensors", {
        "m_t": [1000], "other.a": [1], "other.b": [1], "bad\x1bname": [1],
        "denoise_fn.time_embed.0.weight": [128, 32], "denoise_fn.time_embed.0.bias": [128],
        "vqgan.encoder.frequency_extractor.conv_in.weight": [64, 21, 3, 3],
        "vqgan.encoder.down.0.block.0.nin_shortcut.bias": [64]})
    run = inspect(path)
    refuses("a network of which parts are missing", run, "parts.safetensors")
    lines = [line.partition(":") for line in run.stdout.splitlines()]
    found = {head: text.strip() for head, _, text in lines}
    check(found.get("parts") == "denoiser (2 tensors), encoder (1 tensor)",
          "the parts that are there", run)
    check(found.get("missing", "").startswith('flow network ("vqgan.decoder.flownet.…"), flow ref')
          and "denoiser" not in found["missing"], "the parts that are not", run)
    check(found.get("not read", "").startswith("5 tensors: 2 other, 1 ")
          and "1 of the encoder" in found["not read"] and "1 m_t" in found["not read"]
          and "\x1b" not in run.stdout, "what is not read", run)
    check("parts:" not in inspect(rife).stdout, "a network of one part has no parts")


NO_GPU = {"VFI_BACKEND_PATH": "/nonexistent/vfi-cuda.so"}


def plan_of(model: Path, *arguments) -> dict:
    run = inspect("--plan=json", "--size", "128x64", *arguments, model, **NO_GPU)
    if run.returncode != 0:
        check(False, f"a plan with {arguments}", run)
        return {"stages": []}
    return json.loads(run.stdout)


def is_kept(value: dict, segment: int, op: int) -> bool:
    return any(span["segment"] == segment and span["first_op"] <= op <= span["last_op"]
               for span in value["kept"])


def arena_is_sound(stage: dict) -> bool:
    """What is said of each op's memory follows from where values are kept, and values that are
    kept at once lie beside each other."""
    arena = stage["arena"]
    sound = arena["bytes"] == max((v["offset"] + v["bytes"] for v in arena["values"]), default=0)
    in_use = [0]
    for number, op in enumerate(stage["ops"]):
        kept = sorted((v["offset"], v["bytes"]) for v in arena["values"]
                      if is_kept(v, op["segment"], number))
        in_use.append(sum(size for _, size in kept))
        sound = (sound and op["arena_in_use"] == in_use[-1]
                 and all(a + size <= b for (a, size), (b, _) in itertools.pairwise(kept)))
    return sound and arena["peak_in_use"] == max(in_use) <= arena["bytes"]


def origins_are_sound(stage: dict) -> bool:
    """Each source of an op is made of earlier ops' results or of inputs."""
    return all(len(op["from_ops"]) == len(op["from_inputs"]) == len(op["src"])
               and all(ops or inputs for ops, inputs in zip(op["from_ops"], op["from_inputs"]))
               and all(origin < number for ops in op["from_ops"] for origin in ops)
               for number, op in enumerate(stage["ops"]))


def test_plan_as_json(rife: Path, film: Path, still: Path):
    plan = plan_of(still, "--device", "cuda")
    convolutions = [op for stage in plan["stages"] for op in stage["ops"]
                    if op["kind"] in ("conv", "conv_transpose")
                    and stage["segments"][op["segment"]]["usual"]]
    check(len(convolutions) == len(list(still_rife.layer_shapes()))
          and abs(2e-9 * sum(op["macs"] for op in convolutions)
                  - still_rife.expected_gflop(128, 64)) < 1e-6, "every convolution once")
    check(all(op["src"][0]["half"] and op["src"][0]["layout"] == "channels last"
              and op["src"][0]["block"] % 8 == 0 for op in convolutions)
          and plan["output"] == "flow" and plan["precision"] == "f16", "as a GPU wants them")
    check({op["activation"] for op in convolutions} == {"prelu", None}
          and any(op["residual"] == "after activation" for op in convolutions),
          "what is fused into them")
    plans = [plan, *(plan_of(model, "--device", *device.split()) for model in (rife, film)
                     for device in ("cpu", "cuda", "cuda:1 --precision f32",
                                    "cuda --precision tf32"))]
    stages = [stage for plan in plans for stage in plan["stages"]]
    check([[stage["stage"] for stage in plan["stages"]] for plan in plans]
          == 5 * [["time"]] + 4 * [["frame", "pair", "time"]], "every stage that a family has")
    check(all([entry["name"] for entry in stage["passes"]] == PASSES for stage in stages),
          "the passes in their order")
    check(all(sum(entry["changed"].get("steps", 0) for entry in stage["passes"])
              == len(stage["ops"])
              and sum(entry["changed"].get("row groups", 0) for entry in stage["passes"])
              == len(stage["row_groups"])
              and sum(entry["changed"].get("arena bytes", 0) for entry in stage["passes"])
              == stage["arena"]["bytes"]
              and not any(entry["changed"] for entry in stage["passes"] if not entry["ran"])
              for stage in stages), "what they changed comes to what there is")
    check(all(arena_is_sound(stage) for stage in stages), "where values lie while they are kept")
    check(all(origins_are_sound(stage) for stage in stages), "what each op reads")
    check(all(plan["memory"]["arena"] == max(s["arena"]["bytes"] for s in plan["stages"])
              for plan in plans), "the stages share one arena")
    halves, blocks = ([{key(operand) for stage in plan["stages"] for op in stage["ops"]
                        for operand in op["src"]} for plan in plans[5:]]
                      for key in (lambda o: o["half"], lambda o: o["layout"]))
    check(halves == [{False}, {False, True}, {False, True}, {False, True}]
          and "channels last" in blocks[1] & blocks[3] and blocks[2] == {"planar"},
          "layouts and storage follow the precision")


def test_plan_is_estimated(rife: Path, film: Path):
    for model in (rife, film):
        memory = plan_of(model, "--device", "cpu")["memory"]
        run = inspect(model, "--size", "128x64", "--device", "cpu")
        check(f"arena          {(memory['arena'] + memory['pair']) / MIB:.1f} MiB" in run.stdout,
              "the estimate has the plan's bytes", run)


def dot_is_sound(text: str, n_nodes: int) -> bool:
    """Statements of the few forms that there are, braces in pairs, and edges between nodes."""
    label = r'label="(?:[^"\\]|\\.)*"'
    forms = {"open": r"(?:digraph plan|subgraph cluster_\w+) {", "close": "}", "label": label + ";",
             "style": r"node \[[^]]*\];", "edge": r"(\w+) -> (\w+);",
             "node": rf"(\w+) \[(?:shape=ellipse, )?{label}(?:, style=filled, fillcolor=\w+)?\];"}
    depth, found = 0, {name: [] for name in forms}
    for line in text.splitlines():
        name = next((name for name, form in forms.items()
                     if re.fullmatch(form, line.strip())), None)
        if name is None:
            return False
        found[name].append(re.fullmatch(forms[name], line.strip()).groups())
        depth += {"open": 1, "close": -1}.get(name, 0)
        if depth < 1 and name != "close":
            return False
    nodes = {name for name, *_ in found["node"]}
    return (depth == 0 and len(nodes) == len(found["node"]) == n_nodes
            and {end for edge in found["edge"] for end in edge} <= nodes)


def test_plan_as_graph(model: Path):
    plan = plan_of(model, "--device", "cuda")
    run = inspect("--plan=dot", "--size", "128x64", "--device", "cuda", model, **NO_GPU)
    n_nodes = sum(len(stage["ops"]) + len(stage["inputs"]) for stage in plan["stages"])
    check(run.returncode == 0 and dot_is_sound(run.stdout, n_nodes),
          "a node for each op and input, and edges between them", run)


def test_plan_as_text(rife: Path, film: Path):
    run = inspect("--plan", film, "--size", "128x64", "--device", "cuda", **NO_GPU)
    says("a plan for a GPU", run, "film film_net for 128×64 on cuda", "frame stage: ",
         "pair stage: ", "time stage: ", "leaky relu", "+ sum", "of channels ", "row group 0: ",
         " NHWC of ", " f16 ", "output rgb of segment 0: 3×64×128 planar arena+")
    names = re.findall(r"^    ([\w-]+) +(?:[+-]\d|nothing|left out)", run.stdout, re.MULTILINE)
    check(names == 3 * PASSES, "passes of each stage", run)
    says("one for the CPU", inspect("--plan=text", "--size", "128x64", "--device=cpu", rife),
         "rife 4.0 for 128×64 on cpu", "precision f32", "+ prelu",
         "segment 1, after segment 0: ", "only where motion asks for it", " planar rows+")
    says("one without a network", inspect("--plan", "blend", "--size", "32x32"), "output: blend")


def test_plan_of_steps():
    """A model without a network has a plan, too: of 640x360 pixels, in cells of 2 x 2."""
    run = inspect("--plan=json", "--size", "640x360", "--device", "cpu", "flow")
    plan = json.loads(run.stdout)
    stages = [step["stage"] for step in plan["steps"]]
    check(plan["output"] == "motion" and plan["quality"] == "medium" and plan["level"] == 1
          and plan["stages"] == [] and stages == sorted(stages), "steps as JSON", run)
    first = plan["steps"][0]
    check((first["kind"], first["width"], first["height"], first["region"])
          == ("luma", 320, 180, "frame0") and first["offset"] < plan["memory"]["frame"]
          and all(step["offset"] < plan["memory"][step["region"].rstrip("01")]
                  for step in plan["steps"]), "and where they write", run)
    says("steps as text", inspect("--plan", "--size", "640x360", "--device", "cpu", "--options",
                                  "quality=best", "flow"),
         "flow best for 640×360", "quality best, a cell is 1×1 pixels",
         "pair stage: ", "sweep ")
    run = inspect("--plan=dot", "--size", "640x360", "--device", "cpu", "flow")
    check(run.returncode == 0 and run.stdout.count("[label=") == len(plan["steps"])
          and run.stdout.count("{") == run.stdout.count("}"), "steps as a graph", run)
    says("what they cost", inspect("--size", "640x360", "--device", "cpu", "flow"),
         "family:      flow", "quality          string, auto|fast|medium|best, default auto",
         "scale 1, quality medium", "for 2 frames")
    refuses("a quality that there is not", inspect("--options", "quality=slow", "flow"),
            "auto|fast|medium|best")
    refuses("options that are none", inspect("--options", "=slow", "flow"), "NAME=VALUE")


def test_plan_of_a_polished_network(model: Path):
    """It has ops and steps."""
    options = ("--size", "128x64", "--device", "cpu", "--options", "polish=true", model)
    run = inspect("--plan=json", *options)
    plan = json.loads(run.stdout)
    n_nodes = len(plan["steps"]) + sum(len(stage["ops"]) + len(stage["inputs"])
                                       for stage in plan["stages"])
    check(plan["output"] == "flow" and plan["quality"] == "medium", "both as JSON", run)
    says("both as text", inspect("--plan", *options),
         "quality medium, a cell is 2×2 pixels", ", and the network's flows",
         "output mask of segment 1", "sweep ")
    run = inspect("--plan=dot", *options)
    check(run.returncode == 0 and dot_is_sound(run.stdout, n_nodes), "both as a graph", run)
    says("what both cost", inspect(*options), "scale 1, quality medium", "GMAC an in-between",
         "polish           boolean, default false")


def test_plan_with_a_loop():
    """Two states in two regions of 3x32x48 floats each; one is first of all copied there."""
    def show(form, device):
        return subprocess.run([sys.argv[3], form, device], text=True, capture_output=True,
                              env={**os.environ, **NO_GPU})

    for device in ("cpu", "cuda"):
        run = show("json", device)
        if run.returncode != 0:
            check(False, f"a loop's plan on {device}", run)
            continue
        plan = json.loads(run.stdout)
        stage, = plan["stages"]
        written = [(op["segment"], op["kind"], op["dst"]["offset"]) for op in stage["ops"]
                   if op["dst"]["region"] == "next_state"]
        check([(s["rounds"], s["writes_state"], s["usual"]) for s in stage["segments"]]
              == [(1, True, True), (5, True, True), (1, False, True)]
              and plan["memory"]["states"] == 2 * 2 * 4 * 3 * 32 * 48,
              f"rounds and states on {device}", run)
        check(sorted(written) == [(0, "add", 0), (0, "copy", 4 * 3 * 32 * 48), (1, "add", 0),
                                  (1, "add", 4 * 3 * 32 * 48)],
              f"who writes states on {device}", run)
        check(sorted(i["name"] for i in stage["inputs"] if i["region"] == "state")
              == ["state0", "state1"] and arena_is_sound(stage) and origins_are_sound(stage),
              f"who reads them on {device}", run)
    says("a loop as text", show("text", "cpu"), "0.07 for states",
         "  segment 1, after segment 0, 5 rounds: 2 ops\n", " <- 3×32×48 planar state+0",
         "+4 states written, +36864 state bytes")
    run = show("dot", "cpu")
    check(dot_is_sound(run.stdout, len(stage["ops"]) + len(stage["inputs"]))
          and '"segment 1, 5 rounds"' in run.stdout and '"state state1"' in run.stdout,
          "and as a graph", run)


def test_plan_refusals(rife: Path):
    for what, arguments, word in (
            ("an unknown form", ("--plan=svg", "--size", "64x64", rife), "text, dot or json"),
            ("a plan of no size", ("--plan", rife), "--size WIDTHxHEIGHT"),
            ("plans of two models", ("--plan", "--size", "64x64", rife, rife), "one model"),
            ("a plan of no model", ("--plan", "--size", "64x64"), "expected a model"),
            ("a plan beside the system", ("--plan", "--size", "64x64", "--system", rife),
             "nothing else"),
            ("a device without a size", ("--device", "cpu", rife), "--size"),
            ("an unknown precision", (rife, "--size", "64x64", "--precision", "f17"), '"f17"')):
        refuses(what, inspect(*arguments), word, status=2)
    sized = ("--plan", "--size", "64x64", rife)
    refuses("an unknown device", inspect(*sized, "--device", "gpu"), '"gpu"', "cuda:N")
    refuses("what CUDA has not",
            inspect(*sized, "--device", "cuda", "--precision", "bf16", **NO_GPU),
            "bf16", "expected auto, f16, tf32 or f32")
    refuses("a plan at an odd scale", inspect(*sized, "--scale", "9"), "scale 9")
    run = inspect("--plan=json", "--size", "64x64", f"{rife}.none")
    check(run.returncode == 1 and run.stdout == "" and f"{rife}.none" in run.stderr,
          "the plan of a missing model", run)


def test_system(folder: Path, rife: Path):
    folder.mkdir()
    shutil.copy(rife, folder / "rife-4.0.safetensors")
    (folder / "broken.pkl").write_text("no model")
    (folder / "\x1b[2J\n.pkl").write_text("\x1b[31m")
    places = {"VFI_MODEL_PATH": str(folder), "XDG_DATA_HOME": "/nonexistent",
              "VFI_BACKEND_PATH": "/nonexistent/vfi-cuda.so"}
    run = inspect("--system", **places)
    says("the system", run, "cpu level:   ", "threads:     ", "limited by", "headroom",
         "cuda:        not available: there is no module /nonexistent/vfi-cuda.so",
         f"{folder}/rife-4.0.safetensors: rife 4.0", f"{folder}/broken.pkl: does not load: ",
         "/nonexistent/vfi/models (not there)", f"auto:        {folder}/rife-4.0.safetensors")
    check("\x1b" not in run.stdout and "?[2J?.pkl: does not load: " in run.stdout
          and "\\x1b[31m" in run.stdout, "no name or text of a file drives the terminal", run)
    has_more = "cpu level:   c," not in run.stdout
    check(("capped by VFI_CPU=c" in inspect("--system", VFI_CPU="c", **places).stdout) == has_more,
          "what caps the instruction set")
    check("VFI_CPU=sse is ignored, valid are c, avx2 and avx512"
          in inspect("--system", VFI_CPU="sse", **places).stdout, "a VFI_CPU that there is not")
    says("a model by its name", inspect("rife", **places), "variant:     4.0")
    nowhere = {**places, "VFI_MODEL_PATH": "/nonexistent"}
    says("no RIFE", inspect("--system", **nowhere), "auto:        flow, since there is no RIFE")
    says("auto without a RIFE", inspect("auto", **nowhere), "family:      flow")
    refuses("an unknown name", inspect("film", **places),
            "found there: \\x1b[2J\\n.pkl, broken.pkl, rife-4.0.safetensors")


with tempfile.TemporaryDirectory() as scratch:
    checkpoint = write_checkpoint("rife_v4_0", Path(scratch) / "checkpoint.safetensors")
    test_models(checkpoint)
    test_refusals(Path(scratch), checkpoint)
    test_parts(Path(scratch), checkpoint)
    film_checkpoint = write_checkpoint("film_tiny", Path(scratch) / "film.safetensors")
    still_checkpoint = Path(scratch) / "still.safetensors"
    still_rife.write(still_checkpoint)
    test_plan_as_json(checkpoint, film_checkpoint, still_checkpoint)
    test_plan_is_estimated(checkpoint, film_checkpoint)
    test_plan_as_graph(checkpoint)
    test_plan_as_graph(film_checkpoint)
    test_plan_as_text(checkpoint, film_checkpoint)
    test_plan_of_steps()
    test_plan_of_a_polished_network(checkpoint)
    test_plan_with_a_loop()
    test_plan_refusals(checkpoint)
    test_system(Path(scratch) / "models", checkpoint)
finish()
