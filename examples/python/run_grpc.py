"""Generate the gRPC code when service.proto is newer than it, then run a program.

    python run_grpc.py server        and, elsewhere,  python run_grpc.py client
    python run_grpc.py mtls-server   and, elsewhere,  python run_grpc.py mtls-client --name alice
    python run_grpc.py generate      only the gRPC code

What follows the program's name goes to the program: `python run_grpc.py server --port 50052`.
"""

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROTO = HERE / "service.proto"
GENERATED = [HERE / "service_pb2.py", HERE / "service_pb2_grpc.py"]
PROGRAMS = ["server", "client", "mtls-server", "mtls-client"]


def is_stale() -> bool:
    """Whether a generated file is missing or older than the proto."""
    changed = PROTO.stat().st_mtime_ns
    return any(not file.exists() or file.stat().st_mtime_ns < changed for file in GENERATED)


def generate() -> None:
    """Run protoc in a folder of its own: a program started beside this one sees whole files."""
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".generated-") as folder:
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{HERE}",
             f"--python_out={folder}", f"--grpc_python_out={folder}", PROTO.name],
            check=True,
        )
        for file in GENERATED:
            (Path(folder) / file.name).replace(file)
    print(f"generated {', '.join(file.name for file in GENERATED)}", file=sys.stderr)


def main() -> None:
    """Run the program named by the first argument, with the arguments after it."""
    program, *arguments = sys.argv[1:] or [""]
    if program not in [*PROGRAMS, "generate"]:
        sys.exit(__doc__)
    if is_stale():
        generate()
    if program in PROGRAMS:
        importlib.import_module(program.replace("-", "_")).main(arguments)


if __name__ == "__main__":
    main()
