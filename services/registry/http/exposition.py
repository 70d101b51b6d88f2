"""The text format of Prometheus, version 0.0.4: families of samples as bytes."""

from collections.abc import Iterable, Mapping, Sequence

from registry.figures import Family, Labels, Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(own: Mapping[str, Sequence[Family]], shared: Iterable[Family]) -> bytes:
    """Write out what each worker has counted, by the name of the worker, and what all of them share.

    A name that is empty is written as no label: of a process that stands alone.
    """
    merged: dict[str, tuple[Family, list[Sample]]] = {}
    for worker, families in [*own.items(), ("", shared)]:
        mark: Labels = (("worker", worker),) if worker else ()
        for family in families:
            samples = merged.setdefault(family.name, (family, []))[1]
            samples.extend(Sample(each.value, mark + each.labels, each.suffix) for each in family.samples)
    lines: list[str] = []
    for name, (family, samples) in merged.items():
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
        lines += [f"{name}{each.suffix}{_labels(each.labels)} {_number(each.value)}" for each in samples]
    return ("\n".join(lines) + "\n").encode()


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
