"""How many GetImageSet calls the emulator answers, against those that one boto3 process makes.

python benchmarks/emulator.py [SECONDS] [IMAGE_SETS]

Both are measured in the same run on the same server, a process of its own without quotas, over
the same seeded image sets: boto3 as it comes, in one process; then bare sockets that send the
bytes of such requests and read the answers, in another process. The ratio says how far the
emulator is from being the bottleneck of whatever is measured against it.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from reconciler.emulator.files.seeding import Seeding

STORE = "1" * 32
CONNECTIONS = 4
ROUNDS = 3


def seeding(image_sets: int) -> Seeding:
    """The image sets that the calls ask for."""
    return Seeding(image_sets=image_sets, studies=image_sets)


def boto3_calls(endpoint: str, image_sets: int, seconds: float) -> float:
    """Calls a second of one boto3 client, each after the answer to the one before."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "medical-imaging",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(inject_host_prefix=False),
    )
    ids = [seeding(image_sets).image_set_id(number) for number in range(image_sets)]
    client.get_image_set(datastoreId=STORE, imageSetId=ids[0])
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        client.get_image_set(datastoreId=STORE, imageSetId=ids[count % image_sets])
        count += 1
    return count / (time.perf_counter() - begin)


def bare_calls(endpoint: str, image_sets: int, seconds: float) -> float:
    """Answers a second to requests over a few bare connections."""
    host, port = endpoint.removeprefix("http://").split(":")
    ids = [seeding(image_sets).image_set_id(number) for number in range(image_sets)]
    requests = [
        f"POST /datastore/{STORE}/imageSet/{image_set_id}/getImageSet HTTP/1.1\r\n"
        f"Host: {host}\r\nContent-Length: 0\r\n\r\n".encode()
        for image_set_id in ids
    ]
    counts = [0] * CONNECTIONS
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            position = number
            while time.perf_counter() < until:
                connection.sendall(requests[position % image_sets])
                answer = connection.recv(65_536)
                # The server writes an answer at once, and it is smaller than a segment.
                assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}"), answer
                counts[number] += 1
                position += CONNECTIONS

    begin = time.perf_counter()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begin)


def started(folder: Path, image_sets: int) -> tuple[subprocess.Popen[bytes], str]:
    """A server of its own, seeded."""
    ready, command = folder / "ready", [sys.executable, "-m", "reconciler", "emulator"]
    server = subprocess.Popen(
        [*command, "start", "--data", str(folder / "data"), "--ready-file", str(ready)],
        stdout=subprocess.DEVNULL,
    )
    while not ready.exists():
        time.sleep(0.05)
    endpoint = json.loads(ready.read_text())["endpoint"]
    options = ["--image-sets", str(image_sets), "--studies", str(image_sets)]
    subprocess.run(
        [*command, "seed", "--endpoint", endpoint, "--datastore", STORE, *options], check=True
    )
    return server, endpoint


def main() -> None:
    """Measure both, alternating, and print medians and the ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    image_sets = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with tempfile.TemporaryDirectory() as folder:
        server, endpoint = started(Path(folder), image_sets)
        try:
            rates: dict[str, list[float]] = {"boto3": [], "bare": []}
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as process:
                for _ in range(ROUNDS):
                    for name, calls in (("boto3", boto3_calls), ("bare", bare_calls)):
                        asked = process.submit(calls, endpoint, image_sets, seconds)
                        rates[name].append(asked.result())
        finally:
            server.terminate()
            server.wait()
    made, answered = statistics.median(rates["boto3"]), statistics.median(rates["bare"])
    print(f"GetImageSet, {image_sets} image sets, median of {ROUNDS} rounds of {seconds:g} s")
    print(f"one boto3 process makes   {made:8.0f} calls/s")
    print(f"the emulator answers      {answered:8.0f} calls/s")
    print(f"ratio                     {answered / made:8.2f}")


if __name__ == "__main__":
    main()
