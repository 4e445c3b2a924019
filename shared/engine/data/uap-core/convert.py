"""Makes patterns.json of an unpacked wheel of `ua-parser-builtins`: python3 convert.py DIRECTORY > patterns.json

The wheel is what the uap-core project publishes monthly of its regexes.yaml. Of its device patterns only those of
crawlers are taken: the many others name models of phones, which nobody asks for here and which take most of the memory.
"""

import ast
import json
import pathlib
import sys

FIELDS = {
    "UserAgentParser": ["regex", "family_replacement", "v1_replacement", "v2_replacement"],
    "OSParser": ["regex", "os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement", "os_v4_replacement"],
    "DeviceParser": ["regex", "regex_flag", "device_replacement", "brand_replacement", "model_replacement"],
}


def entries(tree, name):
    value = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == name)
    for call in value.elts:
        assert not call.keywords and len(call.args) <= len(FIELDS[call.func.id]), ast.dump(call)
        fields = dict(zip(FIELDS[call.func.id], (ast.literal_eval(argument) for argument in call.args)))
        yield {field: text for field, text in fields.items() if text is not None}


def main():
    folder = pathlib.Path(sys.argv[1])
    tree = ast.parse((folder / "ua_parser_builtins" / "regexes.py").read_text())
    lists = {
        "user_agent_parsers": list(entries(tree, "USER_AGENT_PARSERS")),
        "os_parsers": list(entries(tree, "OS_PARSERS")),
        "device_parsers": [entry for entry in entries(tree, "DEVICE_PARSERS") if entry.get("device_replacement") == "Spider"],
    }
    # One pattern a line, so that a renewal can be read as a difference.
    print("{")
    for place, (name, patterns) in enumerate(lists.items()):
        lines = ",\n".join(json.dumps(pattern, ensure_ascii=False) for pattern in patterns)
        print(f'"{name}": [\n{lines}\n]' + ("," if place < len(lists) - 1 else ""))
    print("}")


main()
