# SPDX-License-Identifier: MIT
"""What is acknowledged survives kill -9, with and without the power (crash.py). HANSA_ROUNDS: kills in each test (20).

The tests run beside each other where there is more than one processor; each has an address of its own.
"""
import os
import shutil
import time

from crash import trial
from victim import power
from harness import run  # noqa: E402

ROUNDS = int(os.environ.get("HANSA_ROUNDS", "20"))
CHAPTER = 50                    # rounds with one database
FILLED = 20                     # rounds after which the smallest archives are full
SEED = int(os.environ.get("HANSA_SEED", time.time_ns() % 1000000))


def survives(place, address, archive, has_power, newest=None):
    for first in range(0, ROUNDS, CHAPTER):
        seed = SEED + first
        environment = {} if has_power else power(seed)
        oracle = trial(place, min(CHAPTER, ROUNDS - first), seed, address=address, archive=archive, newest=newest,
                       environment=environment)
        assert not oracle.faults, f"seed {seed}\n{oracle.told()}"
        assert len(oracle.acknowledged) > 5 * min(CHAPTER, ROUNDS - first)
        server = place.branches.pop()
        assert not newest or ROUNDS < FILLED or server.ask("status")["expired"] > 0
        assert server.stop() == 0
        shutil.rmtree(server.folder)


def test_killed_with_archive(place):
    survives(place, "127.0.0.2", "always", True)


def test_killed_without_archive(place):
    survives(place, "127.0.0.3", "never", True)


def test_power_lost_with_archive(place):
    survives(place, "127.0.0.4", "always", False)


def test_power_lost_without_archive(place):
    survives(place, "127.0.0.5", "never", False)


def test_power_lost_while_archives_expire(place):
    survives(place, "127.0.0.7", "always", False, newest=100)


def test_the_rig_notices_what_is_not_synchronised(place):
    """The proof of the rig: on a disk that loses its power synchronous=OFF must lose messages. One trial may be lucky."""
    for seed in range(SEED, SEED + 6):
        oracle = trial(place, 4, seed, address="127.0.0.6", environment=power(seed, synchronous="OFF"), settled=3)
        if any("was acknowledged and is" in what for _, what in oracle.faults):
            return
        server = place.branches.pop()
        server.stop()
        shutil.rmtree(server.folder)
    raise AssertionError("nothing was noticed")


if __name__ == "__main__":
    run(globals(), beside=6 if os.cpu_count() > 1 else 1)
