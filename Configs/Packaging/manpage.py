#!/usr/bin/env python3
"""Writes the man page quire(1) from the command line itself: `quire --experimental-dump-help | manpage.py VERSION DATE`."""
import json
import sys


def escaped(text):
    """Text as roff: backslashes, hyphens, and lines that roff would take for requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def name(argument):
    """--long or -s, as the user types it."""
    return ("-" if argument["kind"] == "short" else "--") + argument["name"]


def synopsis(argument):
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        text = f"\\fI{escaped(value)}\\fR"
    else:
        text = f"\\fB{escaped(name(argument['preferredName']))}\\fR"
        if argument["kind"] == "option":
            text += f" \\fI{escaped(value)}\\fR"
    if argument["isRepeating"]:
        text += " ..."
    return f"[{text}]" if argument["isOptional"] else text


def description(argument):
    lines = [escaped(argument.get("abstract", "").strip())]
    if argument["kind"] == "option" and argument.get("defaultValue") not in (None, ""):
        lines.append(escaped(f"Default: {argument['defaultValue']}."))
    return "\n".join(line for line in lines if line)


def own_arguments(command):
    return [a for a in command.get("arguments", [])
            if a["shouldDisplay"] and all(n["name"] not in ("help", "version", "h") for n in a.get("names", []))]


def write(command, path, output):
    """The section of a command that does something, and those of its subcommands."""
    path = path + [command["commandName"]]
    arguments = own_arguments(command)
    subcommands = [c for c in command.get("subcommands", []) if c["shouldDisplay"] and c["commandName"] != "help"]
    if len(path) > 1 and not subcommands:
        output += [f".SS {escaped(' '.join(path))}", escaped(command.get("abstract", "")), ".PP",
                   f"\\fB{escaped(' '.join(path))}\\fR " + " ".join(map(synopsis, arguments))]
        if command.get("discussion"):
            output += [".PP", escaped(command["discussion"].strip())]
        for argument in arguments:
            if argument["kind"] == "positional":
                names = f"\\fI{escaped(argument['valueName'])}\\fR"
            else:
                names = ", ".join(f"\\fB{escaped(name(n))}\\fR" for n in argument["names"])
                if argument["kind"] == "option":
                    names += f" \\fI{escaped(argument['valueName'])}\\fR"
            output += [".TP", names, description(argument)]
    for subcommand in subcommands:
        write(subcommand, path, output)


def main():
    version, date = sys.argv[1:]
    command = json.load(sys.stdin)["command"]
    output = [f'.TH QUIRE 1 "{date}" "quire {version}" "User Commands"', ".SH NAME",
              f"quire \\- {escaped(command['abstract'].rstrip('.')[0].lower() + command['abstract'].rstrip('.')[1:])}",
              ".SH SYNOPSIS", "\\fBquire\\fR \\fIcommand\\fR [\\fIargument\\fR ...]", ".SH DESCRIPTION",
              escaped("Quire serves a large language model to clients of the OpenAI API, on a Vulkan GPU or on the CPU. "
                      "CONFIG is a YAML file, or a model in its place: a .gguf file, the directory of a checkpoint, or the "
                      "name of a model that quire pull has fetched. "
                      "Results go to standard output, the log and progress to standard error."),
              ".SH COMMANDS"]
    write(command, [], output)
    output += [".SH EXIT STATUS", ".TP", "0", "Success.", ".TP", "64", "Bad usage, configuration or checkpoint.",
               ".TP", "70", "Another failure, such as that of a device.",
               ".SH FILES", ".TP", "\\fI/etc/quire/quire.yaml\\fR", "The configuration of quire.service.",
               ".TP", "\\fI$XDG_CACHE_HOME/quire\\fR, \\fI~/.cache/quire\\fR",
               "Compiled kernels, and results of interrupted comparisons.",
               ".TP", "\\fI$HF_HUB_CACHE\\fR, \\fI$HF_HOME/hub\\fR, \\fI~/.cache/huggingface/hub\\fR",
               "Models that quire pull has fetched; huggingface_hub and its users share them.",
               ".SH SEE ALSO", escaped("`quire config schema` prints every key of a configuration.")]
    print("\n".join(output))


main()
