"""The shape of a job file, key by key."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field, model_validator

from zoo_eval.datasets.spec import ClassFolder

WeightsKind = Literal["pretrained", "init", "init-neutral"]
OptionValue = bool | int | float | str


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetTable(_Table):
    """`[dataset]`: which images. See `DatasetSpec` for the meaning of each key."""

    source: str
    subset: str | None = None
    classes: Annotated[list[str], Field(min_length=2)] | None = None
    images_per_class: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    crops: Annotated[int, Field(ge=0)] = 0
    crop_scale: Annotated[list[float], Field(min_length=2, max_length=2)] = [0.6, 1.6]
    image_column: str = "image"
    label_column: str = "label"
    class_folder: ClassFolder = "last"


class ProbeTable(_Table):
    """`[probe]`: the small batch for scores that look at gradients or activations."""

    images: Annotated[int, Field(ge=2)] = 32
    seed: Annotated[int, Field(ge=0)] = 0
    source: Literal["dataset", "noise"] = "dataset"


class EvaluationTable(_Table):
    """`[evaluation]`: where and how networks are run."""

    device: str = "auto"
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    gradient_precision: Literal["fp32", "bf16"] = "fp32"


class ResourcesTable(_Table):
    """`[resources]`: what each network gets on a cluster; what is not said here is estimated."""

    cpus: Annotated[int, Field(ge=1)] | None = None
    gpus: Annotated[float, Field(ge=0)] | None = None
    memory: ByteSize | None = None


class ScoreTable(BaseModel):
    """An entry of `scores` with options: every key but these two is an option of the score."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str
    weights: Annotated[list[WeightsKind], Field(min_length=1)] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options that the entry sets."""
        return dict(self.model_extra or {})


class JobTable(_Table):
    """The whole file."""

    manifest: str
    where: str | None = None
    order: Literal["manifest", "shuffled"] = "manifest"
    truth: str | None = None
    weights: Annotated[list[WeightsKind], Field(min_length=1)] = ["pretrained"]
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0]
    dataset: DatasetTable
    probe: ProbeTable = ProbeTable()
    evaluation: EvaluationTable = EvaluationTable()
    resources: ResourcesTable = ResourcesTable()
    scores: Annotated[list[ScoreTable], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _names_are_entries(cls, table: Any) -> Any:  # noqa: ANN401
        """`"dse"` is short for `{name = "dse"}`, and `dataset = "fashion"` for a table."""
        if not isinstance(table, dict):
            return table
        table = dict(table)
        if isinstance(table.get("dataset"), str):
            table["dataset"] = {"source": table["dataset"]}
        if isinstance(table.get("scores"), list):
            table["scores"] = [{"name": s} if isinstance(s, str) else s for s in table["scores"]]
        return table
