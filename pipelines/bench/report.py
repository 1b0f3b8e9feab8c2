"""What was measured, as a table on standard output and as JSON."""
import datetime, json, os, platform, subprocess


def machine():
    facts = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) << 10
    return {"processor": facts.get("model name", platform.machine()), "family": facts.get("cpu family"), "model": facts.get("model"),
            "cores": len(os.sched_getaffinity(0)), "memory_bytes": memory, "kernel": platform.release(), "date": datetime.date.today().isoformat(),
            "load_average": os.getloadavg()[0]}


class Report:
    """Sections of rows, told as they come."""

    def __init__(self, facts):
        self.contents = {**facts, "sections": []}

    def section(self, title, results, bytes_of, ours=None, notes=()):
        """
        - results: measure.Result by name, in the order to show.
        - bytes_of: how many bytes a command went through, by name or one number for all; 0: no rate is shown.
        - ours: the name that the others are compared with.
        """
        rows, base = [], results.get(ours)
        for name, result in results.items():
            size = bytes_of.get(name, 0) if isinstance(bytes_of, dict) else bytes_of
            rows.append({"what": name, "seconds": result.seconds, "processor_seconds": result.processor, "peak_bytes": result.peak, "runs": result.runs,
                         "bytes": size, "seconds_to_ours": result.seconds / base.seconds if base else None,
                         "processor_to_ours": result.processor / base.processor if base and base.processor else None})
        self.contents["sections"].append({"title": title, "ours": ours, "rows": rows, "notes": list(notes)})
        print(f"\n{title}\n")
        print(f"  {'':44} {'GB/s':>7} {'seconds':>9} {'processor':>9} {'peak MiB':>9}" + (f" {'time':>8} {'processor':>10}" if base else ""))
        for row in rows:
            rate = f"{row['bytes'] / row['seconds'] / 1e9:7.2f}" if row["bytes"] else f"{'':7}"
            line = f"  {row['what']:44} {rate} {row['seconds']:9.3f} {row['processor_seconds']:9.3f} {row['peak_bytes'] / 2**20:9.0f}"
            if base:
                line += f" {row['seconds_to_ours']:7.2f}x" + (f" {row['processor_to_ours']:9.2f}x" if row["processor_to_ours"] is not None else "")
            print(line)
        for note in notes:
            print(f"  {note}")

    def skipped(self, what, why):
        self.contents.setdefault("skipped", []).append({"what": what, "why": str(why)})
        print(f"\nskipped: {what}: {why}")

    def write(self, path):
        with open(path, "w") as file:
            json.dump(self.contents, file, indent=1)
            file.write("\n")


def version(command):
    """Its first line about itself; empty where it has none."""
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()
        return said[0] if said else ""
    except OSError:
        return ""
