"""No printed example is left out."""

from .examples import GUIDE, HERE, LAYER, examples_of, printed

# These are about another repository: its folders, its images, its charts.
NOT_THE_PRODUCT = {
    "Building Container": ["make build-request-mgr-image", "make build-agent-service-image"],
    "Deployment": ["make helm-install"],
    "Local Development": [
        "cd request-manager",
        "uv sync",
        "uv run python -m uvicorn request_manager.main:app --reload",
        "uv run python -m pytest tests/",
    ],
}


def test_every_example_is_run_or_is_not_about_the_product():
    tests = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name != "test_every_example.py")
    chapters = {each.chapter for page in (GUIDE, LAYER) for each in examples_of(page)}

    assert {chapter for chapter in chapters if f'"{chapter}"' not in tests} | {"Local Development"} == set(
        NOT_THE_PRODUCT
    )


def test_what_is_not_about_the_product_is_printed_so():
    for chapter, commands in NOT_THE_PRODUCT.items():
        lines = [line for text in printed(LAYER, chapter) for line in text.splitlines()]
        assert [line for line in lines if not line.startswith(("export ", "#"))] == commands
