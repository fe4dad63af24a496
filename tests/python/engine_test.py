"""carat.Engine: OpenAI's chat completions over one model."""

from __future__ import annotations

import json
import pathlib
import subprocess
import threading
import time

import carat
import pytest
from carat.types import ChatCompletion, ChatCompletionChunk
from conftest import ANSWER, QUESTION


def create(engine: carat.Engine, **parameters: object) -> ChatCompletion:
    answer = engine.chat.completions.create(messages=QUESTION, **{"temperature": 0} | parameters)
    assert isinstance(answer, ChatCompletion)
    return answer


def stream(engine: carat.Engine, **parameters: object) -> list[ChatCompletionChunk]:
    return list(
        engine.chat.completions.create(
            messages=QUESTION, stream=True, **{"temperature": 0} | parameters
        )
    )


def text_of(chunks: list[ChatCompletionChunk], choice: int = 0) -> str:
    return "".join(
        c.delta.content or "" for chunk in chunks for c in chunk.choices if c.index == choice
    )


def test_answers_a_question(engine: carat.Engine) -> None:
    answer = create(engine)
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.object == "chat.completion"
    assert answer.model == engine.model
    assert answer.id.startswith("chatcmpl-")


def test_counts_tokens(engine: carat.Engine) -> None:
    usage = create(engine).usage
    assert usage is not None and usage.prompt_tokens > 5 and usage.completion_tokens > 3
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    again = create(engine).usage
    assert again is not None and again.prompt_tokens_details is not None
    assert again.prompt_tokens_details.cached_tokens == usage.prompt_tokens - 1


def test_says_what_the_command_line_says(
    engine: carat.Engine, program: pathlib.Path, dist: pathlib.Path
) -> None:
    for prompt in [
        "What is 12 plus 30?",
        "Sort these words from A to Z: river apple stone",
        "naïve 🙂?",
    ]:
        command = [program, "generate", dist, "--json", "--temperature", "0", "--prompt", prompt]
        expected = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        answer = engine.chat.completions.create(
            messages=[{"role": "user", "content": prompt}], temperature=0, max_tokens=1024
        )
        assert answer.choices[0].message.content == expected["text"]
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == len(expected["prompt_tokens"])
        assert answer.usage.completion_tokens == len(expected["tokens"])


def test_streams_what_it_would_answer(engine: carat.Engine) -> None:
    chunks = stream(engine)
    assert text_of(chunks) == ANSWER
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert len(chunks) > 5


def test_a_stream_tells_the_usage_when_asked(engine: carat.Engine) -> None:
    *chunks, last = stream(engine, stream_options={"include_usage": True})
    assert last.choices == [] and last.usage == create(engine).usage
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.usage is None for chunk in stream(engine))


def test_responses_are_pydantic_models(engine: carat.Engine) -> None:
    dumped = create(engine).model_dump()
    message = dumped["choices"][0]["message"]
    assert {name: value for name, value in message.items() if value is not None} == {
        "role": "assistant",
        "content": ANSWER,
    }
    assert create(engine).choices[0].message.tool_calls is None  # what clients of OpenAI ask first
    assert ChatCompletion.model_validate(dumped).model_dump() == dumped


def test_remembers_the_conversation_it_is_given(engine: carat.Engine) -> None:
    messages = [
        {"role": "user", "content": "My name is Rosa."},
        {"role": "assistant", "content": "Nice to meet you, Rosa!"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "my name?"}],
        },
    ]
    answer = engine.chat.completions.create(messages=messages)
    assert answer.choices[0].message.content == "Your name is Rosa."
    messages[1] = answer.choices[0].message  # type: ignore[call-overload]  # as OpenAI's client lets one do
    engine.chat.completions.create(messages=messages)


def test_max_tokens_ends_the_answer(engine: carat.Engine) -> None:
    for name in ["max_tokens", "max_completion_tokens"]:
        answer = create(engine, **{name: 2})
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage is not None and answer.usage.completion_tokens == 2
        assert ANSWER.startswith(answer.choices[0].message.content or "-")


@pytest.mark.parametrize("stop", [" of", ["nothing", "capital of"], "f Fr"])
def test_stop_texts_end_the_answer_and_are_not_part_of_it(
    engine: carat.Engine, stop: str | list[str]
) -> None:
    first = min(
        ANSWER.find(each) for each in ([stop] if isinstance(stop, str) else stop) if each in ANSWER
    )
    answer = create(engine, stop=stop)
    assert answer.choices[0].message.content == ANSWER[:first]
    assert answer.choices[0].finish_reason == "stop"
    assert text_of(stream(engine, stop=stop)) == ANSWER[:first]


def test_the_same_seed_gives_the_same_answer(engine: carat.Engine) -> None:
    def sample(seed: int) -> str | None:
        return (
            create(engine, temperature=5, top_k=0, seed=seed, max_tokens=12)
            .choices[0]
            .message.content
        )

    assert sample(7) == sample(7)
    assert len({sample(seed) for seed in range(4)}) == 4


def test_n_gives_as_many_answers(engine: carat.Engine) -> None:
    options = {"n": 3, "temperature": 5, "top_k": 0, "seed": 1, "max_tokens": 8}
    answer = create(engine, **options)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2] and len(set(texts)) == 3
    chunks = stream(engine, **options)
    assert [text_of(chunks, choice) for choice in range(3)] == texts
    assert answer.usage is not None and answer.usage.completion_tokens <= 24


def test_logprobs(engine: carat.Engine) -> None:
    answer = create(engine, logprobs=True, top_logprobs=3)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content is not None and answer.usage is not None
    assert len(logprobs.content) == answer.usage.completion_tokens
    assert b"".join(bytes(token.bytes or []) for token in logprobs.content).decode() == ANSWER
    for token in logprobs.content:  # greedy: the likeliest
        assert len(token.top_logprobs) == 3 and token.top_logprobs[0].token == token.token
        assert -1e-3 <= token.logprob - token.top_logprobs[0].logprob <= 0
        assert token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob
    streamed = [
        token
        for chunk in stream(engine, logprobs=True, top_logprobs=3)
        if chunk.choices[0].logprobs
        for token in chunk.choices[0].logprobs.content or []
    ]
    assert streamed == logprobs.content
    assert create(engine).choices[0].logprobs is None


def test_logprobs_spell_characters_that_are_several_tokens(
    engine: carat.Engine, dist: pathlib.Path
) -> None:
    bird = carat.Tokenizer(dist).encode("\N{PARROT}", add_special_tokens=False)
    first = next(token for token in bird if token > 2)
    assert len(bird) > 1  # bytes
    answer = create(engine, logprobs=True, max_tokens=1, logit_bias={first: 100})
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content is not None
    assert logprobs.content[0].bytes == [0xF0] and logprobs.content[0].token == "\ufffd"


def test_logit_bias_bans_and_forces(engine: carat.Engine, dist: pathlib.Path) -> None:
    tokenizer = carat.Tokenizer(dist)
    paris, rome = (tokenizer.encode(text)[-1] for text in (ANSWER, "The capital of Italy is Rome."))
    assert "Paris" not in (
        create(engine, logit_bias={str(paris): -100}).choices[0].message.content or ""
    )
    forced = create(engine, logit_bias={rome: 100}, max_tokens=3).choices[0].message.content
    assert forced == tokenizer.decode([rome] * 3)


def test_ignore_eos_goes_on_until_max_tokens(engine: carat.Engine) -> None:
    answer = create(engine, ignore_eos=True, max_tokens=40)
    assert answer.usage is not None and answer.usage.completion_tokens == 40


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temperature": -1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": float("nan")}, "request"),
        ({"top_p": 2}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 0}, "'n'"),
        ({"n": 129}, "'n'"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop"),
        ({"seed": 0.5}, "seed"),
        ({"top_logprobs": 2}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"99999999": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"temprature": 1}, "temprature"),
    ],
)
def test_refuses_a_wrong_parameter_by_its_name(
    engine: carat.Engine, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(carat.InvalidArgumentError, match=message):
        create(engine, **parameters)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "messages"),
        ([{"role": "user"}], r"messages\[0\].*content"),
        ([{"role": "wizard", "content": "x"}], r"messages\[0\].*role"),
        ([{"role": "user", "content": 5}], r"messages\[0\].*content"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "reads text"),
        (
            [{"role": "assistant", "content": "x"}, {"role": "assistant", "content": "y"}],
            "alternate",
        ),
        ([{"role": "user", "content": "word " * 4000}], "context window"),
        ([{"role": "user", "content": "x" * 10_000_000}], "context window"),
        ([{"role": "user", "content": {1, 2}}], "JSON"),
        (["hello"], r"messages\[0\]"),
    ],
)
def test_refuses_wrong_messages(
    engine: carat.Engine, messages: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(carat.InvalidArgumentError, match=message):
        engine.chat.completions.create(messages=messages)


def test_accepts_what_only_concerns_a_service(engine: carat.Engine) -> None:
    answer = create(
        engine,
        model="gpt-4o",
        user="me",
        tools=None,
        tool_choice="none",
        response_format={"type": "text"},
    )
    assert answer.choices[0].message.content == ANSWER


def test_requests_are_answered_in_their_order(engine: carat.Engine) -> None:
    options = {"stream": True, "temperature": 0, "stream_options": {"include_usage": True}}
    first = engine.chat.completions.create(
        messages=QUESTION, ignore_eos=True, max_tokens=200, **options
    )
    second, third = (engine.chat.completions.create(messages=QUESTION, **options) for _ in range(2))
    next(third)
    for stream in (first, second):  # nobody has read them, and all of them is there
        chunks = []
        while json_text := stream._answer.poll():
            assert json_text is not True
            chunks.append(ChatCompletionChunk.model_validate_json(json_text))
    assert text_of(chunks) == ANSWER


def test_several_threads_read_one_stream(engine: carat.Engine) -> None:
    chunks = engine.chat.completions.create(
        messages=QUESTION, stream=True, ignore_eos=True, max_tokens=300, n=3, logprobs=True
    )
    read: list[ChatCompletionChunk] = []
    threads = [threading.Thread(target=lambda: read.extend(chunks)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    ends = [choice.index for chunk in read for choice in chunk.choices if choice.finish_reason]
    assert sorted(ends) == [0, 1, 2]
    tokens = [t for c in read if c.choices[0].logprobs for t in c.choices[0].logprobs.content or []]
    assert len(tokens) == 900


def test_two_threads_are_both_answered(engine: carat.Engine) -> None:
    answers: list[str] = []

    def ask(city: str) -> None:
        for _ in range(10):
            question = [{"role": "user", "content": f"What is the capital of {city}?"}]
            answers.append(
                engine.chat.completions.create(messages=question).choices[0].message.content or ""
            )

    threads = [threading.Thread(target=ask, args=(country,)) for country in ("France", "Italy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers) == [ANSWER] * 10 + ["The capital of Italy is Rome."] * 10


MINUTES = {"ignore_eos": True, "max_tokens": 2000, "n": 128, "stream": True}


def test_closing_a_stream_frees_the_engine(engine: carat.Engine) -> None:
    start = time.monotonic()
    with engine.chat.completions.create(messages=QUESTION, **MINUTES) as chunks:
        next(chunks)
    assert list(chunks) == []
    assert create(engine).choices[0].message.content == ANSWER
    abandoned = engine.chat.completions.create(messages=QUESTION, **MINUTES)
    next(abandoned)
    del abandoned
    assert create(engine).choices[0].message.content == ANSWER
    assert time.monotonic() - start < 20


def test_a_stream_is_closed_from_another_thread(engine: carat.Engine) -> None:
    chunks = engine.chat.completions.create(messages=QUESTION, **MINUTES)
    timer = threading.Timer(0.2, chunks.close)
    timer.start()
    start = time.monotonic()
    assert len(list(chunks)) > 0
    assert time.monotonic() - start < 20


def test_a_stream_outlives_the_name_of_its_engine(dist: pathlib.Path) -> None:
    chunks = carat.Engine(dist).chat.completions.create(messages=QUESTION, stream=True)
    assert text_of(list(chunks)) == ANSWER


def test_a_closed_engine_says_so(dist: pathlib.Path) -> None:
    engine = carat.Engine(dist)
    running = engine.chat.completions.create(
        messages=QUESTION, stream=True, ignore_eos=True, max_tokens=2000
    )
    waiting = engine.chat.completions.create(messages=QUESTION, stream=True)
    next(running)
    engine.close()
    engine.close()
    for stream in (running, waiting):
        with pytest.raises(carat.Error, match="closed"):
            list(stream)
    with pytest.raises(carat.Error, match="closed"):
        create(engine)


def test_a_folder_that_was_not_compiled_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(carat.Error, match=str(tmp_path)):
        carat.Engine(tmp_path)
