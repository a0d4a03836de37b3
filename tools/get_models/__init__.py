# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetches trained models and the demo clip: the parts of tools/get-models."""
