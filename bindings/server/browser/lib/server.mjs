// @ts-check
/**
 * The portal under test: a process of its own, driven by lines on stdin. What the lines mean stands
 * at the head of `examples/portal_under_test.rs`.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const START_MS_MAX = 20_000;
const ANSWER_MS_MAX = 20_000;

/** @type {string | undefined} */
let built;

/** The binary: the one that is named by the environment, else one that cargo builds. */
function binary() {
  const named = process.env.NARTHEX_UNDER_TEST;
  if (named) {
    if (!existsSync(named)) throw new Error(`NARTHEX_UNDER_TEST: there is no ${named}`);
    return named;
  }
  built ??= build();
  return built;
}

function build() {
  const words = "build -p narthex-server --example portal_under_test --message-format=json";
  const said = execFileSync("cargo", words.split(" "), {
    cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for (const line of said.split("\n")) {
    if (!line.includes('"portal_under_test"')) continue;
    const { executable } = JSON.parse(line);
    if (executable) return String(executable);
  }
  throw new Error("cargo named no executable portal_under_test");
}

/** Builds once, before anything is timed. */
export const prepare = binary;

export class PortalUnderTest {
  /** Where it listens, with a slash at the end. */
  url = "";
  /** All that went in and came out. @type {string[]} */
  log = [];
  /** @type {import("node:child_process").ChildProcessWithoutNullStreams} */
  #process;
  /** Who waits for the next line. @type {{resolve: (line: string) => void, reject: (e: Error) => void}[]} */
  #waiting = [];
  #ended = false;
  /** One command at a time. @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /** @param {string[]} words */
  constructor(words) {
    this.#process = spawn(binary(), words, { stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(line));
    createInterface({ input: this.#process.stderr }).on("line", (line) => this.log.push(`! ${line}`));
    this.#process.stdin.on("error", () => {});
    this.#process.on("exit", (code, signal) => {
      this.#ended = true;
      this.log.push(`ended: ${code ?? signal}`);
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the server ended"));
    });
  }

  /**
   * A fresh server with fresh data.
   * @param {string[]} [words] its command line
   */
  static async start(words = []) {
    const server = new PortalUnderTest(words);
    const ready = await server.#next(START_MS_MAX);
    if (!ready.startsWith("ready ")) throw new Error(`not ready: ${ready}`);
    server.url = ready.slice("ready ".length);
    return server;
  }

  /** @param {string} line */
  #hear(line) {
    this.log.push(`< ${line.slice(0, 300)}`);
    this.#waiting.shift()?.resolve(line);
  }

  /** @param {number} ms @returns {Promise<string>} */
  #next(ms) {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(new Error("the server ended"));
      const late = setTimeout(() => reject(new Error("the server does not answer")), ms);
      this.#waiting.push({
        resolve: (line) => (clearTimeout(late), resolve(line)),
        reject: (error) => (clearTimeout(late), reject(error)),
      });
    });
  }

  /**
   * One line in, one line out.
   * @param {string} line
   * @returns {Promise<any>} the JSON of `ok JSON`
   */
  command(line) {
    const turn = this.#turn.then(async () => {
      this.log.push(`> ${line}`);
      this.#process.stdin.write(`${line}\n`);
      const answer = await this.#next(ANSWER_MS_MAX);
      if (answer === "ok") return null;
      if (answer.startsWith("ok ")) return JSON.parse(answer.slice(3));
      throw new Error(`${line}: ${answer}`);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** So much time passes for the server. @param {number} ms */
  advance(ms) {
    return this.command(`advance ${ms}`);
  }

  /** The people of the roster, as listed. @returns {Promise<import("./people.mjs").Listed[]>} */
  people() {
    return this.command("people");
  }

  async stop() {
    if (this.#ended) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin.end();
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(late);
  }
}
