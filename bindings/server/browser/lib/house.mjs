// @ts-check
/**
 * One test: a fresh portal, browsers that are watched, and what is kept when it fails.
 * A {@link Family} here is what the rules call "this browser application and mode": one browser
 * context, whose tabs share cookies and storage.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { launch } from "./chromium.mjs";
import { atMost, pause } from "./eventually.mjs";
import { logInPage } from "./pages.mjs";
import { CONTOSO, PASSWORD, claimQuickly, rosterWithContacts } from "./people.mjs";
import { PortalUnderTest, prepare } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContext} BrowserContext */
/** @typedef {import("./people.mjs").Listed} Listed */

const TEST_MS_MAX = 60_000;
/** For what is kept, and for closing. */
const AFTERWARDS_MS_MAX = 20_000;
/** What a step of a browser may take before it counts as not happening. */
const STEP_MS_MAX = 15_000;
/** So long a form may be on its way, as in `portal.js`. */
const SENT_MS_MAX = 10_000;
/** So long a page needs at most to be done with a key. */
const SETTLED_MS = 200;

/** @type {Map<string, Promise<import("playwright-core").Browser>>} */
const launched = new Map();
/** @type {Promise<string> | undefined} */
let roster;

/** @param {import("playwright-core").LaunchOptions} options */
function browser(options) {
  const key = JSON.stringify(options);
  const running = launched.get(key) ?? launch(options);
  launched.set(key, running);
  return running;
}

after(async () => {
  for (const running of launched.values()) await (await running).close();
  if (roster) rmSync(await roster, { recursive: true, force: true });
});

/**
 * @typedef {object} RuleOptions
 * @property {string[]} [words] for the command line of the server
 * @property {number[]} [refusals] statuses that the browser's console may tell of
 * @property {number} [minutes] what it may take, where that is more than one
 * @property {boolean} [offline] the network is taken away: the console may tell of that too
 * @property {import("playwright-core").LaunchOptions} [launch]
 */

/**
 * A rule of the house, shown in a browser.
 * @param {string} name a sentence, with the id of the rule first
 * @param {(house: House) => Promise<void>} body
 * @param {RuleOptions} [options]
 */
export function rule(name, body, options = {}) {
  const limit = TEST_MS_MAX * (options.minutes ?? 1);
  test(name, { timeout: 2 * (limit + 3 * AFTERWARDS_MS_MAX) }, async (t) => {
    const tell = (/** @type {string} */ line) => t.diagnostic(line);
    try {
      await shown(name, body, options, tell);
    } catch (error) {
      // That a process of the browser dies is no answer of the portal's; twice in one test it would be.
      if (!(error instanceof Error && /(Page|Target) crashed/.test(error.message))) throw error;
      tell(`once more, for the browser failed: ${error.message}`);
      await shown(name, body, options, tell);
    }
  });
}

/**
 * @param {string} name @param {(house: House) => Promise<void>} body @param {RuleOptions} options
 * @param {(line: string) => void} tell
 */
async function shown(name, body, options, tell) {
  prepare();
  roster ??= rosterWithContacts();
  const words = ["--roster", await roster, ...(options.words ?? [])];
  const server = await PortalUnderTest.start(words);
  const house = new House(server, options, tell);
  try {
    await atMost(TEST_MS_MAX * (options.minutes ?? 1), "this test", body(house));
    assert.deepEqual(house.trouble, [], "what the browsers complained of");
  } catch (error) {
    const folder = await house.keep(name);
    const said = error instanceof Error ? error : new Error(String(error));
    said.message += `\n  screenshots and logs: ${folder}`;
    throw said;
  } finally {
    await house.close();
    await server.stop();
  }
}

export class House {
  /** @type {PortalUnderTest} */
  server;
  /** Console errors, violations of the content policy, requests to elsewhere. @type {string[]} */
  trouble = [];
  /** Every request of every browser. @type {string[]} */
  requests = [];
  /** @type {Family[]} */
  families = [];
  /** Says a figure in the test report. @type {(line: string) => void} */
  tell;
  /** @type {RuleOptions} */
  #options;
  /** @type {Promise<Listed[]> | undefined} */
  #people;

  /** @param {PortalUnderTest} server @param {RuleOptions} options @param {(line: string) => void} tell */
  constructor(server, options, tell) {
    this.server = server;
    this.#options = options;
    this.tell = tell;
  }

  get url() {
    return this.server.url;
  }

  people() {
    this.#people ??= this.server.people();
    return this.#people;
  }

  /** One pupil, by place in the list of those who can claim. @param {number} [index] */
  async pupil(index = 0) {
    const people = (await this.people()).filter((p) => p.birthdate && p.roles[0] === "student");
    const person = people[index];
    assert.ok(person, "the sample school is too small");
    return person;
  }

  /** A pupil who has claimed already. @param {number} [index] */
  async claimed(index = 0) {
    const person = await this.pupil(index);
    await claimQuickly(this.url, person);
    return person;
  }

  /**
   * Somebody of the office, who has claimed already. The sample has birthdates of pupils only: one of
   * them works there too.
   * @param {string} [organization]
   */
  async clerk(organization = CONTOSO.id) {
    const person = await this.pupil(20);
    await this.server.command(`membership add ${person.login_id} ${organization} administrator`);
    await claimQuickly(this.url, person);
    return person;
  }

  /**
   * Another browser, or a private window: nothing is shared with the ones before.
   * @param {import("playwright-core").BrowserContextOptions & {clock?: boolean}} [options]
   */
  async family({ clock = false, ...options } = {}) {
    const running = await browser(this.#options.launch ?? {});
    const context = await running.newContext({ locale: "en-US", ...options });
    context.setDefaultTimeout(STEP_MS_MAX);
    this.#watch(context);
    if (clock) await context.clock.install();
    const family = new Family(this, context, clock);
    this.families.push(family);
    return family;
  }

  /** A browser in which this person is logged in, and its tab. @param {Listed} person */
  async loggedIn(person, /** @type {Parameters<House["family"]>[0]} */ options = {}) {
    const family = await this.family(options);
    const tab = await family.tab("login");
    await logInPage(tab).logIn(person.login_id, PASSWORD);
    await tab.waitForURL(/\/o\//);
    return { family, tab };
  }

  /** So much time passes, for the server and then for every browser. @param {number} ms */
  async advance(ms) {
    // What a key leaves behind, such as a change of the selection, is of the time before.
    await pause(SETTLED_MS);
    await this.server.advance(ms);
    const clocks = this.families.filter((family) => family.hasClock);
    const moved = clocks.map((family) => family.context.clock.fastForward(ms));
    await atMost(STEP_MS_MAX, "moving the browsers' clocks", Promise.all(moved));
  }

  /** @param {BrowserContext} context */
  #watch(context) {
    const origin = new URL(this.url).origin;
    const expected = this.#options.refusals ?? [];
    // When a form was last sent that ends the token: on its way, a page may still ask with it.
    let ending = -Infinity;
    context.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      const status = /responded with a status of (\d+)/.exec(message.text())?.[1];
      if (status && expected.includes(Number(status))) return;
      const asked = message.location().url.endsWith("/api/v1/session");
      if (status === "401" && asked && Date.now() - ending < SENT_MS_MAX) return;
      if (this.#options.offline && message.text().includes("ERR_INTERNET_DISCONNECTED")) return;
      this.trouble.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.trouble.push(`script: ${error.error().stack}`));
    context.on("request", (request) => {
      const url = request.url();
      this.requests.push(`${request.method()} ${url}`);
      const ends = request.method() === "POST" && /\/(logout|account\/password)$/.test(url);
      if (ends) ending = Date.now();
      if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) {
        this.trouble.push(`a request to elsewhere: ${url}`);
      }
    });
    context.on("response", (response) => {
      const { pathname, search } = new URL(response.url());
      const method = response.request().method();
      this.server.log.push(`  ${response.status()} ${method} ${pathname}${search}`);
    });
  }

  /** Keeps what helps to see why. @param {string} name @returns {Promise<string>} the folder */
  async keep(name) {
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 40);
    const folder = await mkdtemp(join(tmpdir(), `narthex-browser-${slug}-`));
    let number = 0;
    for (const family of this.families) {
      for (const page of family.context.pages()) {
        number += 1;
        const path = join(folder, `tab-${number}.png`);
        await page.screenshot({ path, fullPage: true, timeout: 5000 }).catch(() => {});
        this.server.log.push(`tab ${number}: ${page.url()}`);
      }
    }
    const log = [...this.server.log, "", "trouble:", ...this.trouble];
    await writeFile(join(folder, "server.log"), `${log.join("\n")}\n`);
    return folder;
  }

  async close() {
    const closed = Promise.all(this.families.map((family) => family.context.close()));
    await atMost(AFTERWARDS_MS_MAX, "closing the browsers", closed).catch(() => {});
  }
}

export class Family {
  /** @param {House} house @param {BrowserContext} context @param {boolean} hasClock */
  constructor(house, context, hasClock) {
    this.house = house;
    this.context = context;
    this.hasClock = hasClock;
  }

  /** A new tab. @param {string} [path] below the portal's URL */
  async tab(path) {
    const page = await this.context.newPage();
    if (path !== undefined) await page.goto(`${this.house.url}${path}`);
    return page;
  }

  /** The session cookie as it is now. */
  async cookie() {
    const cookies = await this.context.cookies(this.house.url);
    return cookies.find((cookie) => cookie.name === "narthex");
  }

  /**
   * What the server says to who presents this cookie, browser or not.
   * @param {{name: string, value: string} | undefined} cookie
   * @returns {Promise<{status: number, body: any}>}
   */
  async ask(cookie) {
    const answer = await fetch(`${this.house.url}api/v1/session`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}` },
    });
    return { status: answer.status, body: await answer.json() };
  }
}
