// The desk's API: a message and the stream of its answer, taken up again where it was cut; the history.

const TRIES = 6;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 8000;
const LONGEST_ASKED_MS = 15000;
const SILENCE_MS = 45000;
const HISTORY_PAGES = 10;

/** What went wrong: a code of the API, or `offline`; `passing` if the same may work soon. */
export class Problem extends Error {
  constructor(code, { status = 0, seconds = 0, passing = false, said = "" } = {}) {
    super(code);
    Object.assign(this, { code, status, seconds, passing, said });
  }
}

async function refusal(response) {
  const { status } = response;
  const problem = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("Retry-After")) || problem.retry_after || 0;
  const busy = status === 429 && seconds * 1000 <= LONGEST_ASKED_MS;
  return new Problem(problem.code ?? `http_${status}`, { status, seconds, passing: busy || [408, 502, 503, 504].includes(status) });
}

/** The events of a stream (HTML standard, section 9.2.6), as far as they have data. */
async function* events(body, heard) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) data.push(line.slice(5));
        else if (!line && data.length) {
          yield JSON.parse(data.join("\n"));
          data = [];
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export class Desk {
  constructor(base, key) {
    Object.assign(this, { base, key, token: null, locale: "en" });
  }

  async call(method, path, { body, signal, ...headers } = {}) {
    const options = { method, signal, credentials: "omit", cache: "no-store", headers };
    Object.assign(headers, { "X-API-Key": this.key, "Accept-Language": this.locale });
    if (this.token) headers["X-Customer-Token"] = this.token;
    if (body) {
      headers["Content-Type"] = "application/json";
      options.body = JSON.stringify(body);
    }
    const response = await fetch(this.base + path, options).catch((error) => {
      throw new Problem("offline", { passing: true, said: String(error) });
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }

  /** All messages of a session, oldest first. */
  async history(session, user) {
    const found = [];
    let cursor = "";
    for (let page = 0; page < HISTORY_PAGES; page++) {
      const query = new URLSearchParams({ user_id: user, limit: 100, ...(cursor && { cursor }) });
      const answer = await (await this.call("GET", `/api/v1/sessions/${session}/history?${query}`)).json();
      found.push(...answer.items);
      cursor = answer.next_cursor;
      if (!cursor) break;
    }
    return found;
  }

  /** The events of a turn `{key, message, user, session, after, stop}`, to its end; what was seen is noted in the turn. */
  async *ask(turn) {
    for (let tries = 0; ; ) {
      try {
        for await (const event of this.once(turn)) {
          tries = 0;
          turn.session = event.session_id;
          // After a failure it goes on where it was before, so that the work is done again and not the failure shown.
          if (event.type !== "error") turn.after = event.id;
          yield event;
          if (event.type === "error") throw new Problem("told", { said: event.text });
          if (event.type === "message.completed") return;
        }
        throw new Problem("offline", { passing: true });
      } catch (problem) {
        if (turn.stop.signal.aborted || !problem.passing || ++tries > TRIES) throw problem;
        yield { type: "again" };
        const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
        await new Promise((resolve) => setTimeout(resolve, Math.max(wait, problem.seconds * 1000)));
      }
    }
  }

  async *once(turn) {
    const silence = new AbortController();
    const stop = () => silence.abort();
    turn.stop.signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, SILENCE_MS);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
    };
    try {
      const response = await this.call("POST", "/api/v1/chat", {
        Accept: "text/event-stream",
        ...(turn.after ? { "Last-Event-ID": turn.after } : { "Idempotency-Key": turn.key }),
        signal: silence.signal,
        body: { message: turn.message, user_id: turn.user, ...(turn.session && { session_id: turn.session }) },
      });
      yield* events(response.body, heard);
    } catch (error) {
      throw error instanceof Problem ? error : new Problem("offline", { passing: true, said: String(error) });
    } finally {
      clearTimeout(timer);
      turn.stop.signal.removeEventListener("abort", stop);
    }
  }
}
