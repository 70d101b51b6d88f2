"""The contract tests that the `eventsourcing` library ships for recorders, run on ours."""

import threading
from contextlib import ExitStack
from uuid import uuid4

import pytest
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from registry.store.database import open_reader, open_writer
from registry.store.recorder import SQLAlchemyRecorder

# A unittest.TestCase takes no parametrized fixtures, so each case is run by functions made from it.
CASES = [
    (case, name)
    for case in (
        ApplicationRecorderTestCase,
        NonInterleavingNotificationIDsBaseCase,
        TrackingRecorderTestCase,
        ProcessRecorderTestCase,
    )
    for name in sorted(dir(case))
    if name.startswith("test")
]
del (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)  # as they stand here they would be collected, and they are abstract


@pytest.mark.parametrize(("case", "name"), CASES, ids=[f"{case.__name__}.{name}" for case, name in CASES])
def test_the_recorder_keeps_the_librarys_contract(case: type, name: str, database_url: str) -> None:
    with ExitStack() as engines:
        writer, reader = open_writer(database_url, pool_size=20), open_reader(database_url)
        engines.callback(writer.dispose)
        engines.callback(reader.dispose)
        ours = type(
            "Ours",
            (case,),
            {
                "create_recorder": lambda _self: SQLAlchemyRecorder(writer.begin, reader.connect),
                "new_originator_id": lambda _self: str(uuid4()),
            },
        )
        before = set(threading.enumerate())
        getattr(ours(name), name)()
        for thread in set(threading.enumerate()) - before:  # one case does not wait for its readers
            thread.join()
