"""Makes the goldens of the chat-template interpreter: what jinja2 answers to snippets and to whole templates.

    python3 make_templates.py       needs the package jinja2; writes templates.goldens.json beside itself

The environment is the one in which Hugging Face's apply_chat_template renders. The whole templates are written here,
in the manner of the model families after which they are called. A case has a "text" that it renders to, or an "error":
"syntax" when it is read, "raised" by raise_exception, else "evaluation". Snippets see the variables "data"; in the
"variables" of a family's run, a string "@name" stands for the message set or tool set of that name.
"""

import datetime
import json
import pathlib

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from template_families import FAMILIES, MESSAGES, TOOLS
from template_snippets import DATA, SNIPPETS

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2025, 3, 9, 7, 5, 4, 120)  # the clock of the tests


class Raised(Exception):
    pass


class Generation(Extension):
    """The tag around what the assistant wrote; it changes nothing in the text."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise Raised(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    result = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = NOW.strftime
    return result


ENVIRONMENT = environment()


def resolve(variables):
    sets = {**MESSAGES, **TOOLS}
    return {key: sets[value[1:]] if isinstance(value, str) and value.startswith("@") else value
            for key, value in variables.items()}


def render(template, variables):
    case = {"template": template, "variables": variables}
    given = {"messages": [], "tools": None, "documents": None, "add_generation_prompt": False, **resolve(variables)}
    try:
        compiled = ENVIRONMENT.from_string(template)
    except (jinja2.TemplateSyntaxError, SyntaxError):
        return {**case, "error": "syntax"}
    try:
        return {**case, "text": compiled.render(**given)}
    except Raised as error:
        return {**case, "error": "raised", "message": str(error)}
    except Exception:
        return {**case, "error": "evaluation"}


def main():
    cases = [render(snippet, DATA) for snippet in SNIPPETS]
    for case in cases:
        del case["variables"]
    families = []
    for name, template in FAMILIES.items():
        runs = []
        for messages in MESSAGES:
            for tools in [None, *TOOLS]:
                for prompt in [True, False]:
                    variables = {"messages": "@" + messages, "tools": tools and "@" + tools,
                                 "add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>"}
                    run = render(template, variables)
                    del run["template"]
                    runs.append(run)
        texts = [run for run in runs if "text" in run]
        assert texts, f"{name} renders nothing"
        print(f"{name}: {len(runs)} runs, {len(texts)} of them give text")
        families.append({"name": name, "template": template, "runs": runs})
    errors = [case for case in cases if "error" in case]
    print(f"{len(cases)} snippets, {len(errors)} of them errors")
    result = {"jinja2": jinja2.__version__, "sets": {**MESSAGES, **TOOLS}, "data": DATA, "snippets": cases, "families": families}
    path = HERE / "templates.goldens.json"
    path.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
