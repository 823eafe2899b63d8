"""Drives the official SDKs as a user's program does; run by sdks.py with the Python of a virtual environment.

sdk-client.py PORT   writes one JSON line a call: what the program got; then waits for a line before the next one
"""

import json
import sys

import anthropic
import openai
from google import genai
from google.genai import types

BASE = f"http://127.0.0.1:{sys.argv[1]}"
MESSAGES = [{"role": "user", "content": "hi"}]


def tell(sdk, call, run):
    """One call and its outcome: text, the names of the stream's events, or the typed error."""
    line = {"sdk": sdk, "call": call, "version": VERSIONS[sdk]}
    try:
        line["text"], line["events"] = run()
    except Exception as error:  # noqa: BLE001  its type is what is looked at
        line["error"] = type(error).__name__
        line["status"] = getattr(error, "status_code", None) or getattr(error, "code", None)
        line["message"] = str(error)[:400]
    print(json.dumps(line), flush=True)
    sys.stdin.readline()


VERSIONS = {"openai": openai.__version__, "anthropic": anthropic.__version__, "google-genai": genai.__version__}


# MARK: - openai


def openai_client(path="/openai/v1", **headers):
    return openai.OpenAI(base_url=BASE + path, api_key="dummy-openai", default_headers=headers)


def chat(client):
    answer = client.chat.completions.create(model="gpt-5.1", messages=MESSAGES)
    return answer.choices[0].message.content, []


def chat_stream(client):
    text, events = "", []
    stream = client.chat.completions.create(model="gpt-5.1", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    for chunk in stream:
        if not chunk.choices:
            events.append("usage")
            continue
        choice = chunk.choices[0]
        events.append(choice.finish_reason or ("role" if choice.delta.role else "content"))
        text += choice.delta.content or ""
    return text, events


def responses(client):
    return client.responses.create(model="gpt-5.1", input="hi").output_text, []


def responses_stream(client):
    text, events = "", []
    for event in client.responses.create(model="gpt-5.1", input="hi", stream=True):
        events.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
    return text, events


tell("openai", "chat", lambda: chat(openai_client()))
tell("openai", "chat stream", lambda: chat_stream(openai_client()))
tell("openai", "responses", lambda: responses(openai_client()))
tell("openai", "responses stream", lambda: responses_stream(openai_client()))
tell("openai", "bare path", lambda: chat(openai_client("/v1")))
tell("openai", "codex stream", lambda: responses_stream(openai_client("/openai-codex/v1")))
tell("openai", "pin by header", lambda: chat_stream(openai_client(**{"Keybearer-Profile": "openai:second"})))
tell("openai", "pin by path", lambda: responses(openai_client("/openai@second/v1")))
tell("openai", "unknown pin", lambda: chat(openai_client(**{"Keybearer-Profile": "openai:nobody"})))
tell(
    "openai",
    "rate limit",
    lambda: chat(openai_client().with_options(max_retries=0, default_headers={"Keybearer-Profile": "openai:limited"})),
)


# MARK: - anthropic


def anthropic_client(path="/anthropic", **headers):
    return anthropic.Anthropic(base_url=BASE + path, api_key="dummy-anthropic", default_headers=headers)


def messages(client):
    return client.messages.create(model="claude-sandbox", max_tokens=64, messages=MESSAGES).content[0].text, []


def messages_stream(client):
    text, events = "", []
    for event in client.messages.create(model="claude-sandbox", max_tokens=64, messages=MESSAGES, stream=True):
        events.append(event.type)
        if event.type == "content_block_delta":
            text += event.delta.text
    return text, events


def messages_helper(client):
    with client.messages.stream(model="claude-sandbox", max_tokens=64, messages=MESSAGES) as stream:
        return "".join(stream.text_stream), []


tell("anthropic", "messages", lambda: messages(anthropic_client()))
tell("anthropic", "messages stream", lambda: messages_stream(anthropic_client()))
tell("anthropic", "stream helper", lambda: messages_helper(anthropic_client()))
tell("anthropic", "bare path", lambda: messages(anthropic_client("")))
tell("anthropic", "pin by header", lambda: messages_stream(anthropic_client(**{"Keybearer-Profile": "anthropic:key"})))
tell("anthropic", "pin by path", lambda: messages(anthropic_client("/anthropic@key")))
tell("anthropic", "unknown pin", lambda: messages(anthropic_client(**{"Keybearer-Profile": "anthropic:nobody"})))
tell(
    "anthropic",
    "rate limit",
    lambda: messages(anthropic_client().with_options(max_retries=0, default_headers={"Keybearer-Profile": "anthropic:limited"})),
)


# MARK: - google-genai


def google_client(path="/google", **headers):
    return genai.Client(api_key="dummy-google", http_options=types.HttpOptions(base_url=BASE + path, headers=headers or None))


def generate(client):
    return client.models.generate_content(model="gemini-2.5-flash", contents="hi").text, []


def generate_stream(client):
    text, events = "", []
    for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents="hi"):
        events.append(chunk.candidates[0].finish_reason.value if chunk.candidates[0].finish_reason else "content")
        text += chunk.text or ""
    return text, events


tell("google-genai", "generate", lambda: generate(google_client()))
tell("google-genai", "generate stream", lambda: generate_stream(google_client()))
tell("google-genai", "bare path", lambda: generate(google_client("")))
tell("google-genai", "pin by header", lambda: generate_stream(google_client(**{"Keybearer-Profile": "google:second"})))
tell("google-genai", "pin by path", lambda: generate(google_client("/google@second")))
tell("google-genai", "unknown pin", lambda: generate(google_client(**{"Keybearer-Profile": "google:nobody"})))
tell("google-genai", "rate limit", lambda: generate(google_client(**{"Keybearer-Profile": "google:limited"})))
