// @ts-check
import assert from "node:assert/strict";

import { A_SECOND, eventually, pause } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import { landingPage, logInPage, place, returnTo, warning } from "../lib/pages.mjs";
import { CONTOSO, PASSWORD } from "../lib/people.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("../lib/house.mjs").Family} Family */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const SCREEN = `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`;

/**
 * Presses a key that does nothing, until the server was told: one that is pressed while the page asks
 * how long is left does not count.
 * @param {Page} tab
 */
async function beActive(tab) {
  let status = 0;
  const told = tab.context().waitForEvent("response", {
    predicate: (response) => response.url().endsWith("/session/activity"),
  });
  void told.then((response) => (status = response.status()));
  await eventually("the server was told", async () => {
    await tab.keyboard.press("Shift");
    await pause(100);
    return status !== 0;
  });
  assert.equal(status, 204);
}

/** How long the session lasts, as the server sees it. @param {Family} family */
async function left(family) {
  const { status, body } = await family.ask(await family.cookie());
  assert.equal(status, 200, JSON.stringify(body));
  return Number(body.expires_in_ms);
}

/** The activity mark's key and value. @param {Page} tab */
function mark(tab) {
  return tab.evaluate(() => {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith("narthex.activity."));
    return { keys, value: Number(localStorage.getItem(keys[0] ?? "")) };
  });
}

rule("S12 five minutes and one minute before the end a person is warned", async (house) => {
  const { family, tab } = await house.loggedIn(await house.claimed(), { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  await tab.getByRole("link", { name: "Settings" }).focus();
  const title = await tab.title();
  const { dialog, stay } = warning(tab);

  await house.advance(4 * HOUR - 5 * MINUTE - 20 * SECOND);
  assert.equal(await dialog.isVisible(), false, "no warning before its time");
  await house.advance(30 * SECOND);
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /5 minutes/);
  assert.notEqual(await tab.title(), title, "the title says so too");
  const inside = () => dialog.evaluate((d) => d.contains(document.activeElement));
  assert.ok(await inside(), "the dialog has the focus");
  const name = await dialog.evaluate((d) => d.getAttribute("aria-labelledby"));
  assert.ok(name && (await tab.locator(`#${name}`).innerText()), "the dialog has a name");

  await house.advance(4 * MINUTE);
  await dialog.getByText("1 minute").waitFor();
  assert.ok(await inside());
  await stay.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await tab.title(), title);
  const focus = await tab.evaluate(() => document.activeElement?.textContent?.trim());
  assert.equal(focus, "Settings", "the focus is back where it was");
  await eventually("the server has heard of it", async () => (await left(family)) > 3.9 * HOUR);
});

rule("S12 one key in one tab takes the warning away in all tabs", async (house) => {
  const { family, tab: one } = await house.loggedIn(await house.claimed(), { clock: true });
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  const three = await family.tab("account");
  await house.advance(4 * HOUR - 4 * MINUTE);
  for (const tab of [one, two, three]) await warning(tab).dialog.waitFor();
  await two.keyboard.press("Shift");
  const gone = [one, two, three].map((tab, index) =>
    eventually(`tab ${index + 1} has no warning`, async () => {
      return !(await warning(tab).dialog.isVisible());
    }, A_SECOND),
  );
  const took = (await Promise.all(gone)).map((wait) => wait.took);
  house.tell(`after ${took.join(", ")} ms`);
  await eventually("the server has heard of it", async () => (await left(family)) > 3.9 * HOUR);
  await house.advance(4 * HOUR - 6 * MINUTE);
  for (const tab of [one, two, three]) {
    assert.equal(await warning(tab).dialog.isVisible(), false);
  }
});

rule(
  "S12 S14 four hours without activity end the session, and the login page knows the place",
  async (house) => {
    const { family, tab } = await house.loggedIn(await house.claimed(), { clock: true });
    await tab.goto(`${house.url}${SCREEN}`);
    const cookie = await family.cookie();
    await house.advance(4 * HOUR - 30 * SECOND);
    assert.equal((await family.ask(cookie)).status, 200, "not a minute too early");
    assert.equal(place(tab, house.url), SCREEN);
    await house.advance(40 * SECOND);
    await logInPage(tab).heading.waitFor();
    assert.equal(returnTo(tab), `/${SCREEN}`);
    await logInPage(tab).notice.getByText("nothing happened for a long time").waitFor();
    const { status, body } = await family.ask(cookie);
    assert.equal(status, 401);
    assert.equal(body.reason, "inactivity");
  },
  { refusals: [401] },
);

rule("S12 a laptop that slept is judged at once when it wakes", async (house) => {
  const { tab } = await house.loggedIn(await house.claimed(), { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  // Asleep no timer fires: the clock alone has moved.
  await house.server.advance(5 * HOUR);
  await tab.clock.setSystemTime(Date.now() + 5 * HOUR);
  // It may be on its way before this is said.
  await tab.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))).catch(() => {});
  const { took } = await eventually("the tab is on the login page", () =>
    place(tab, house.url).startsWith("login"), A_SECOND);
  house.tell(`after ${took} ms`);
  assert.equal(returnTo(tab), `/${SCREEN}`);
}, { refusals: [401] });

rule("S13 activity in one tab keeps all tabs", async (house) => {
  const { family, tab: one } = await house.loggedIn(await house.claimed(), { clock: true });
  const two = await family.tab(SCREEN);
  const three = await family.tab(`o/${CONTOSO.id}/downloads`);
  for (let round = 0; round < 3; round += 1) {
    await house.advance(3 * HOUR);
    await beActive(two);
  }
  assert.ok((await left(family)) > 3.9 * HOUR);
  for (const tab of [one, two, three]) {
    assert.equal(await warning(tab).dialog.isVisible(), false);
    assert.ok(!place(tab, house.url).startsWith("login"));
  }
  await house.advance(4 * HOUR + SECOND);
  for (const tab of [one, two, three]) await logInPage(tab).heading.waitFor();
}, { refusals: [401] });

rule("S13 a page that nobody touches is not active, whatever it asks", async (house) => {
  const { family, tab } = await house.loggedIn(await house.claimed(), { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  for (let round = 0; round < 7; round += 1) {
    await house.advance(30 * MINUTE);
    await tab.evaluate(() => {
      document.body.click();
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
      return fetch("/api/v1/session").then((answer) => answer.json());
    });
    await tab.evaluate(() => fetch(location.href).then((answer) => answer.text()));
  }
  assert.ok((await left(family)) <= HOUR / 2, "scripts and background reads kept it alive");
  await house.advance(30 * MINUTE + SECOND);
  await logInPage(tab).heading.waitFor();
}, { refusals: [401] });

for (const [what, value] of /** @type {const} */ ([
  ["in the future", String(Date.now() + 1000 * HOUR)],
  ["that is no time", "NaN"],
  ["cleared", null],
])) {
  rule(`S13 A54 an activity mark ${what} extends nothing`, async (house) => {
    const { family, tab } = await house.loggedIn(await house.claimed(), { clock: true });
    await tab.goto(`${house.url}${SCREEN}`);
    const two = await family.tab(`o/${CONTOSO.id}/downloads`);
    await house.advance(3 * HOUR);
    const { keys } = await mark(two);
    assert.equal(keys.length, 1);
    await two.evaluate(([key, forged]) => {
      if (forged === null) localStorage.clear();
      else localStorage.setItem(key, forged);
    }, /** @type {const} */ ([keys[0] ?? "", value]));
    await house.advance(30 * MINUTE);
    assert.ok((await left(family)) <= HOUR / 2);
    await house.advance(30 * MINUTE + SECOND);
    for (const page of [tab, two]) await logInPage(page).heading.waitFor();
  }, { refusals: [401] });
}

rule("S13 a mark set back asks the server and never lengthens", async (house) => {
  const { family, tab } = await house.loggedIn(await house.claimed(), { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  await house.advance(HOUR);
  const asked = tab.waitForResponse(/\/api\/v1\/session$/);
  const { keys } = await mark(two);
  await two.evaluate(([key, hours]) => {
    localStorage.setItem(String(key), String(Date.now() - Number(hours)));
  }, [keys[0] ?? "", 9 * HOUR]);
  assert.equal((await asked).status(), 200);
  const before = await left(family);
  assert.ok(before <= 3 * HOUR);
  await house.advance(3 * HOUR + SECOND);
  for (const page of [tab, two]) await logInPage(page).heading.waitFor();
}, { refusals: [401] });

rule("S12 a shared computer has twenty minutes, and says so", async (house) => {
  const person = await house.claimed();
  const family = await house.family({ clock: true });
  const tab = await family.tab("login");
  const hint = await logInPage(tab).shared.getAttribute("aria-describedby");
  assert.match(await tab.locator(`#${hint}`).innerText(), /20 minutes/);
  await logInPage(tab).logIn(person.login_id, PASSWORD, { shared: true });
  await landingPage(tab).greeting.waitFor();
  assert.ok((await left(family)) <= 20 * MINUTE);
  await house.advance(16 * MINUTE);
  await warning(tab).dialog.waitFor();
  await house.advance(4 * MINUTE + SECOND);
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), `/o/${CONTOSO.id}/`);
}, { refusals: [401] });

rule("S12 a tab without a network keeps its place and comes back to it", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person, { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  await family.context.setOffline(true);
  await house.advance(4 * HOUR + SECOND);
  // Nothing can be asked; nothing is lost either.
  await tab.keyboard.press("Shift");
  await house.advance(30 * SECOND);
  assert.equal(place(tab, house.url), SCREEN, "still at its place");
  await family.context.setOffline(false);
  await house.advance(30 * SECOND);
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), `/${SCREEN}`);
  await logInPage(tab).logIn(person.login_id);
  await eventually("the tab is back", () => place(tab, house.url) === SCREEN);
}, { refusals: [401], offline: true });

rule("S12 a day after the log-in the session ends, active or not, and says why", async (house) => {
  const { tab } = await house.loggedIn(await house.claimed(), { clock: true });
  await tab.goto(`${house.url}${SCREEN}`);
  for (let hours = 0; hours < 21; hours += 3) {
    await house.advance(3 * HOUR);
    await beActive(tab);
  }
  await house.advance(2.9 * HOUR);
  await beActive(tab);
  await house.advance(0.2 * HOUR);
  await tab.keyboard.press("Shift");
  await logInPage(tab).notice.getByText("for a whole day").waitFor();
  assert.equal(returnTo(tab), `/${SCREEN}`);
}, { refusals: [401] });
