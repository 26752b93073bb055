// @ts-check
/**
 * The Python examples, started as their READMEs say: by a server with two processes, or in one process
 * whose clock is moved from here. `NARTHEX_PYTHON` is the Python that has the package.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { eventually } from "./eventually.mjs";

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 5000;
const ROSTER = "../rosters/oneroster-v1p2-98-users/package.zip";
const CLOCK = fileURLToPath(new URL("../../../python/tests/under_test.py", import.meta.url));

/**
 * Words after `python -m`. `real`: two processes, as people deploy it; `clock`: one.
 * @type {Record<string, {real: (port: number) => string[], clock: (port: number) => string[], prepare?: string[][]}>}
 */
const EXAMPLES = {
  fastapi: {
    real: (port) => ["uvicorn", "main:app", "--workers", "2", "--port", `${port}`],
    clock: (port) => ["uvicorn", "main:app", "--port", `${port}`],
  },
  flask: {
    real: (port) => ["gunicorn", "-w", "2", "--threads", "2", "-b", `127.0.0.1:${port}`, "app:app"],
    clock: (port) => ["flask", "run", "--port", `${port}`],
  },
  django: {
    real: (port) => ["gunicorn", "-w", "2", "--threads", "2", "-b", `127.0.0.1:${port}`, "diary.wsgi"],
    clock: (port) => ["django", "runserver", "--noreload", `${port}`],
    prepare: [["migrate", "--verbosity", "0"], ["narthex_import_roster", ROSTER]],
  },
};

export const NAMES = Object.keys(EXAMPLES);

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function listens(port) {
  return new Promise((resolve) => {
    const probe = connect(port, "127.0.0.1");
    probe.once("connect", () => (probe.destroy(), resolve(true)));
    probe.once("error", () => resolve(false));
  });
}

export class ExampleUnderTest {
  /** Where the portal is, with a slash at the end. */
  url = "";
  /** All that it said. @type {string[]} */
  log = [];
  #data = mkdtempSync(join(tmpdir(), "narthex-diary-"));
  /** @type {import("node:child_process").ChildProcessWithoutNullStreams | undefined} */
  #process;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {string} name @param {"real" | "clock"} kind */
  static async start(name, kind) {
    const [example, port] = [EXAMPLES[name], await freePort()];
    if (!example) throw new Error(`there is no example ${name}`);
    const server = new ExampleUnderTest();
    server.url = `http://127.0.0.1:${port}/portal/`;
    const folder = fileURLToPath(new URL(`../../../../examples/${name}-diary/`, import.meta.url));
    const env = {
      ...process.env,
      DIARY_DATA: join(server.#data, "data"),
      DIARY_ORIGIN: `http://127.0.0.1:${port}`,
      DJANGO_SETTINGS_MODULE: "diary.settings",
      PYTHONPATH: folder,
    };
    mkdirSync(env.DIARY_DATA);
    for (const words of example.prepare ?? []) await server.#run(["manage.py", ...words], folder, env).done;
    const words = kind === "real" ? ["-m", ...example.real(port)] : [CLOCK, ...example.clock(port)];
    const { child, done } = server.#run(words, folder, env);
    server.#process = child;
    let ended = "";
    done.catch((error) => (ended = String(error)));
    try {
      await eventually(`${name} listens`, () => {
        if (ended) throw new Error(ended);
        return listens(port);
      }, START_MS_MAX);
    } catch (error) {
      await server.stop();
      throw new Error(`${error}\n${server.log.join("\n")}`);
    }
    return server;
  }

  /** @param {string[]} words @param {string} cwd @param {NodeJS.ProcessEnv} env */
  #run(words, cwd, env) {
    const python = process.env.NARTHEX_PYTHON ?? "python3";
    const child = spawn(python, words, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {});
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        if (line === "@ok") this.#waiting.shift()?.();
        else this.log.push(line.slice(0, 300));
      });
    }
    const done = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        if (code === 0) resolve(undefined);
        else reject(new Error(`${words.join(" ")} ended: ${code ?? signal}\n${this.log.join("\n")}`));
      });
    });
    return { child, done };
  }

  /** So much time passes for it. @param {number} ms @returns {Promise<void>} */
  advance(ms) {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#process?.stdin.write(`advance ${ms}\n`);
    });
  }

  async stop() {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await gone;
      clearTimeout(late);
    }
    rmSync(this.#data, { recursive: true, force: true });
  }
}
