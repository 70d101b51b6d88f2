import pytest

from api.conftest import SOURCE, Service, planned, problem, registered
from registry.merkle.proof import verify_consistency, verify_inclusion
from registry.merkle.tree import EMPTY_ROOT

EVENTS = 300
"""More than a tile of 256 hashes."""


@pytest.fixture
async def long_log(service: Service) -> Service:
    """A service with 300 events; its tree has a full tile and a partial one."""
    response = await service.batch(registered(), *[planned(f"visit-{i}") for i in range(2, EVENTS + 1)])
    assert response.status_code == 201
    return service


async def test_the_head_of_the_log(service_on_any: Service):
    empty = (await service_on_any.get("/log")).json()
    assert empty == {"origin": "registry.test/log", "size": 0, "root": EMPTY_ROOT.hex(), "recorded_at": None}
    receipt = (await service_on_any.post(registered())).json()
    response = await service_on_any.get("/log")
    assert response.headers["Registry-Position"] == "1"
    assert response.json() == {
        "origin": "registry.test/log",
        "size": 1,
        "root": receipt["leaf_hash"],
        "recorded_at": receipt["recorded_at"],
    }


async def test_the_head_is_not_sent_again_until_the_log_grows(service: Service):
    tag = (await service.get("/log")).headers["ETag"]
    assert (await service.get("/log", headers={"If-None-Match": tag})).status_code == 304
    await service.post(registered())
    assert (await service.get("/log", headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize(
    ("position", "size"), [(1, 300), (256, 256), (256, 300), (257, 299), (300, 300), (1, 1), (7, 10)]
)
async def test_inclusion_is_proved_in_the_tree_of_any_size(long_log: Service, position: int, size: int):
    proof = (await long_log.get(f"/log/proof/inclusion?position={position}&size={size}")).json()
    leaf = (await long_log.get(f"/events/{position}")).json()["leafhash"]
    assert proof["leaf_hash"] == leaf
    assert (proof["position"], proof["leaf_index"], proof["size"]) == (position, position - 1, size)
    hashes = [bytes.fromhex(each) for each in proof["hashes"]]
    root = bytes.fromhex(proof["root"])
    assert verify_inclusion(position - 1, size, bytes.fromhex(leaf), hashes, root)
    wrong = bytes(32)
    assert not verify_inclusion(position - 1, size, wrong, hashes, root)


async def test_inclusion_is_proved_in_the_whole_log_and_by_identity(long_log: Service):
    by_position = (await long_log.get("/log/proof/inclusion?position=17")).json()
    by_identity = await long_log.get("/log/proof/inclusion", params={"source": SOURCE, "id": "visit-17"})
    assert by_identity.json() == by_position
    assert by_position["size"] == EVENTS
    assert by_position["root"] == (await long_log.get("/log")).json()["root"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(0, 300), (1, 300), (255, 256), (256, 257), (256, 300), (299, 300), (300, 300), (100, 200), (0, 0)],
)
async def test_consistency_is_proved_between_any_two_sizes(long_log: Service, old: int, new: int):
    proof = (await long_log.get(f"/log/proof/consistency?from={old}&to={new}")).json()
    roots = [bytes.fromhex(proof[name]) for name in ("from_root", "to_root")]
    hashes = [bytes.fromhex(each) for each in proof["hashes"]]
    assert (proof["from_size"], proof["to_size"]) == (old, new)
    assert verify_consistency(old, new, *roots, hashes)


async def test_consistency_is_proved_up_to_the_whole_log_by_default(long_log: Service):
    proof = (await long_log.get("/log/proof/consistency?from=10")).json()
    assert proof["to_size"] == EVENTS
    assert proof["to_root"] == (await long_log.get("/log")).json()["root"]


async def test_proofs_are_the_same_on_any_database(service_on_any: Service):
    await service_on_any.batch(registered(), *[planned(f"visit-{i}") for i in range(10)])
    proof = (await service_on_any.get("/log/proof/inclusion?position=5&size=9")).json()
    hashes = [bytes.fromhex(each) for each in proof["hashes"]]
    assert verify_inclusion(4, 9, bytes.fromhex(proof["leaf_hash"]), hashes, bytes.fromhex(proof["root"]))
    found = await service_on_any.get("/log/proof/inclusion", params={"source": SOURCE, "id": "visit-3"})
    assert found.json()["position"] == 5


@pytest.mark.parametrize(
    "query",
    [
        "position=12",
        "position=11&size=10",
        f"source={SOURCE}&id=unheard-of",
        "source=https://other.example/&id=registered",
        "source=not%00a%20source&id=registered",
        f"source={SOURCE}&id=%00",
    ],
)
async def test_an_event_that_is_not_in_the_tree_is_a_404(service: Service, query: str):
    await service.batch(registered(), *[planned(f"visit-{i}") for i in range(10)])
    problem(await service.get(f"/log/proof/inclusion?{query}"), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("inclusion", "position"),
        ("inclusion?position=0", "position"),
        ("inclusion?position=x", "position"),
        (f"inclusion?position=1&source={SOURCE}", "position"),
        ("inclusion?position=1&id=a", "position"),
        (f"inclusion?source={SOURCE}", "position"),
        ("inclusion?id=a", "position"),
        ("inclusion?position=1&size=2", "size"),
        ("inclusion?position=1&hash=00", "hash"),
        ("consistency", "from"),
        ("consistency?from=2", "from"),
        ("consistency?from=1&to=0", "from"),
        ("consistency?from=0&to=9", "to"),
        ("consistency?from=-1", "from"),
    ],
)
async def test_a_bad_parameter_of_a_proof_is_a_400(registered_service: Service, path: str, parameter: str):
    said = problem(await registered_service.get(f"/log/proof/{path}"), 400, "malformed")
    assert said["errors"][0]["parameter"] == parameter


async def test_the_log_takes_no_unknown_parameter(service: Service):
    problem(await service.get("/log?format=note"), 400, "malformed")


@pytest.mark.parametrize("path", ["/log", "/log/proof/inclusion?position=1", "/log/proof/consistency?from=1"])
async def test_head_has_the_headers_of_get_and_no_body(registered_service: Service, path: str):
    get, head = await registered_service.get(path), await registered_service.head(path)
    assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")
