#!/usr/bin/env python3
"""Runs the built Swift tests and says what each second buys: run_tests.py check|test XCTEST_BINARY LOG.

Every test module is a process of its own, as many at once as there are processors, the most expensive first; so is every
test of the modules that take minutes. Inside of a process one test runs after another, so that a test's time is its own
and not that of waiting for others. `check` leaves out what needs a driver, a model, a compiler or minutes. A failed test, a
skipped one and a process that dies are failures.
"""
import os
import re
import subprocess
import sys
import threading
import time

# What `make check` leaves out, by module or module.suite, and why.
NOT_IN_CHECK = {
    "BackendCPUTests": "minutes: every operation against the reference, for every instruction set and thread count",
    "BackendVulkanTests": "Vulkan drivers",
    "ExecutionTests": "Vulkan drivers and the real model",
    "OpenAIServerTests.DeviceLossTests": "a Vulkan driver",
    "PluginLoadingTests": "compiles plugins",
}
# Modules in which every test is a process of its own.
SPLIT = ["BackendVulkanTests", "ExecutionTests"]
# Tests for which Mesa's driver for the CPU compiles without optimising (`GALLIVM_PERF`): they compile hundreds of kernels and
# run each for milliseconds. The other tests run what the driver makes of kernels for everybody.
QUICKLY_COMPILED = ("BackendVulkanTests.",)
# The most expensive tests, by the beginning of their names: they run first, and the rest fits beside them.
FIRST = ["BackendVulkanTests.ConformanceTests", "ExecutionTests", "BackendVulkanTests", "BackendCPUTests", "PluginLoadingTests"]
RESULT = re.compile(r"^[✔✘]\s+Test (?!run |case )(.+) (passed|failed) after ([\d.]+) seconds")
SKIPPED = re.compile(r"^\S+\s+Test (?!run |case )(.+) skipped(?::|\.|$)")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
CLOSING = re.compile(r"(\S+ Test run with (\d+) tests? .*)")


def cpu_seconds(process):
    """CPU time so far of a process and of its children that have ended; 0 where the system does not say."""
    try:
        fields = open(f"/proc/{process}/stat").read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0


class Tests:
    """The tests of one process: a module's, or one."""

    def __init__(self, name, without):
        self.name, self.without = name, without
        self.tests, self.output, self.closing, self.seconds, self.cpu, self.count, self.status = [], "", "", 0, 0, 0, None

    def run(self, binary):
        command = [binary, "--testing-library", "swift-testing", "--no-parallel", "--filter", "^" + re.escape(self.name)]
        for suite in self.without:
            command += ["--skip", f"^{re.escape(suite)}[./]"]
        environment = {**os.environ, "GALLIVM_PERF": "nopt"} if self.name.startswith(QUICKLY_COMPILED) else None
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                                   errors="replace", env=environment)
        lines, spent = [], 0
        for line in process.stdout:
            line = COLOUR.sub("", line)
            lines.append(line)
            if match := RESULT.match(line):
                # One test runs after another, so what was spent since the last one ended is this one's.
                before, spent = spent, cpu_seconds(process.pid)
                self.tests.append((match[1].replace('"', ""), match[2], float(match[3]), max(0, spent - before)))
            elif match := SKIPPED.match(line):
                self.tests.append((match[1].replace('"', ""), "skipped", 0, 0))
            elif match := CLOSING.search(line):
                self.closing, self.count = match[1], int(match[2])
        self.output = "".join(lines)
        process.stdout.close()
        # wait4 counts this process and the children that it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.seconds, self.cpu = time.monotonic() - start, usage.ru_utime + usage.ru_stime

    @property
    def problems(self):
        found = [f"{self.name}: {name}: {result}" for name, result, _, _ in self.tests if result != "passed"]
        if self.status != 0 and not found:
            found.append(f"{self.name}: the process ended with status {self.status}")
        if self.status == 0 and self.count == 0:
            found.append(f"{self.name}: no test ran")
        return found


def processes(binary, lane):
    """The processes to run, the most expensive first, without what the lane leaves out."""
    listing = subprocess.run([binary, "--testing-library", "swift-testing", "--list-tests"],
                             capture_output=True, text=True, check=True).stdout
    tests = [line for line in listing.splitlines() if re.match(r"^\w+Tests\.", line)]
    if not tests:
        sys.exit(f"{binary} lists no tests")
    without = NOT_IN_CHECK if lane == "check" else {}
    names = {test if module in SPLIT else module + "."
             for test in tests if (module := test.partition(".")[0]) not in without}

    def cost(name):
        return next((index for index, start in enumerate(FIRST) if name.startswith(start)), len(FIRST)), name

    return [Tests(name, [suite for suite in without if suite.startswith(name)]) for name in sorted(names, key=cost)]


def main():
    lane, binary, log = sys.argv[1:]
    start = time.monotonic()
    todo = processes(binary, lane)
    done, lock = [], threading.Lock()

    def work():
        while True:
            with lock:
                if not todo:
                    return
                module = todo.pop(0)
            module.run(binary)
            with lock:
                done.append(module)
                mark = "ok" if not module.problems else "FAILED"
                print(f"{mark:6} {module.name.rstrip('.')}, {module.cpu:.1f} s of CPU: {module.closing}", flush=True)

    workers = [threading.Thread(target=work) for _ in range(os.cpu_count() or 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with open(log, "w", encoding="utf-8") as file:
        for module in done:
            file.write(f"=== {module.name}\n{module.output}\n")
    problems = [problem for module in done for problem in module.problems]
    for module in done:
        if module.problems:
            print("\n".join(line for line in module.output.splitlines() if line[:1] in "✘↳⚠" or SKIPPED.match(line)))
    slowest = sorted(((seconds, cpu, module.name.partition(".")[0], name) for module in done for name, _, seconds, cpu in module.tests),
                     reverse=True)
    print("\nthe ten slowest tests, each alone in its process:")
    for seconds, cpu, module, name in slowest[:10]:
        print(f"{seconds:8.1f} s {cpu:8.1f} s of CPU  {module}: {name}")
    print(f"\n{sum(module.count for module in done)} tests in {time.monotonic() - start:.0f} s, "
          f"{sum(module.cpu for module in done):.0f} s of CPU; everything they printed is in {log}")
    for problem in problems:
        print(f"FAILED {problem}")
    sys.exit(1 if problems else 0)


main()
