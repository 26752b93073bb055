// @ts-check
import assert from "node:assert/strict";

import { eventually } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import { header, landingPage, logInPage, place, returnTo } from "../lib/pages.mjs";
import { CONTOSO, FABRIKAM, PASSWORD, claimQuickly, fullName } from "../lib/people.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("../lib/house.mjs").House} House */

const HOUR = 3600 * 1000;
const SCREENS = [
  `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`,
  `o/${FABRIKAM.id}/apps/marketplace/projects/3?tab=settings`,
  "account/password",
];

/** Somebody of two schools with a tab on each of {@link SCREENS}. @param {House} house */
async function threeTabs(house) {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  await claimQuickly(house.url, person);
  const { family, tab } = await house.loggedIn(person, { clock: true });
  await tab.goto(`${house.url}${SCREENS[0]}`);
  const tabs = [tab];
  for (const screen of SCREENS.slice(1)) tabs.push(await family.tab(screen));
  return { person, family, tabs };
}

/** @param {Page[]} tabs */
async function allAtLogIn(tabs) {
  for (const [index, tab] of tabs.entries()) {
    await logInPage(tab).heading.waitFor();
    assert.equal(returnTo(tab), `/${SCREENS[index]}`, "the URL names the location");
  }
}

/**
 * A tab that waits at the login page while another tab logs in goes on by itself, or when it is
 * looked at again.
 * @param {House} house @param {Page} tab @param {string} screen
 */
async function comesBack(house, tab, screen) {
  await tab.bringToFront();
  await eventually(`the tab is back on ${screen}`, () => place(tab, house.url) === screen);
}

/**
 * Loads a waiting tab again, if it has not gone on by itself meanwhile.
 * @param {Page} tab
 */
async function lookAgain(tab) {
  await tab.reload().catch(() => {});
}

rule("S14 S15 three tabs each come back to their own screen and organization", async (house) => {
  const { person, tabs } = await threeTabs(house);
  await house.advance(4 * HOUR + 1000);
  await allAtLogIn(tabs);
  const [first] = tabs;
  assert.ok(first);
  await logInPage(first).logIn(person.login_id);
  await header(first, fullName(person)).toggle.waitFor();
  assert.equal(place(first, house.url), SCREENS[0]);
  for (const [index, tab] of tabs.entries()) {
    if (index > 0) await lookAgain(tab);
    await header(tab, fullName(person)).toggle.waitFor();
    assert.equal(place(tab, house.url), SCREENS[index]);
  }
}, { refusals: [401] });

rule("S15 tabs that wait at the login page come back when one of them logs in", async (house) => {
  const { person, tabs } = await threeTabs(house);
  await house.advance(4 * HOUR + 1000);
  await allAtLogIn(tabs);
  const [first, second] = tabs;
  assert.ok(first && second);
  // This one has been tried in vain: what was sent then is not sent again.
  await logInPage(second).logIn(person.login_id, "not the password at all");
  await logInPage(second).alert.waitFor();
  const sent = house.requests.length;
  await logInPage(first).logIn(person.login_id);
  for (const [index, tab] of tabs.entries()) await comesBack(house, tab, SCREENS[index] ?? "");
  const posts = house.requests.slice(sent).filter((line) => /^POST .*\/login/.test(line));
  assert.equal(posts.length, 1, posts.join(", "));
}, { refusals: [401] });

rule("S15 logging in once more in each waiting tab brings each to its screen", async (house) => {
  const { person, tabs } = await threeTabs(house);
  await house.advance(4 * HOUR + 1000);
  await allAtLogIn(tabs);
  for (const tab of tabs) {
    await tab.bringToFront();
    // A tab that went on by itself has no form any more, and needs none.
    const waits = await logInPage(tab).password.isVisible();
    if (waits) await logInPage(tab).logIn(person.login_id).catch(() => {});
    await header(tab, fullName(person)).toggle.waitFor();
  }
  for (const [index, tab] of tabs.entries()) await comesBack(house, tab, SCREENS[index] ?? "");
}, { refusals: [401] });

rule("S15 the fragment of a page survives the re-login", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person, { clock: true });
  const screen = `o/${CONTOSO.id}/downloads#download-data-loader`;
  await tab.goto(`${house.url}${screen}`);
  await house.advance(4 * HOUR + 1000);
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).logIn(person.login_id);
  await header(tab, fullName(person)).toggle.waitFor();
  assert.equal(place(tab, house.url), screen);
}, { refusals: [401] });

rule("S15 another person who logs in there lands on the own landing page", async (house) => {
  const { tabs } = await threeTabs(house);
  const other = await house.claimed(1);
  await house.advance(4 * HOUR + 1000);
  await allAtLogIn(tabs);
  const [first, second] = tabs;
  assert.ok(first && second);
  await logInPage(first).logIn(other.login_id);
  await header(first, fullName(other)).toggle.waitFor();
  assert.equal(place(first, house.url), `o/${CONTOSO.id}/`);
  await lookAgain(second);
  await header(second, fullName(other)).toggle.waitFor();
  assert.equal(place(second, house.url), `o/${CONTOSO.id}/`);
}, { refusals: [401] });

rule("S15 who no longer belongs there lands at the default organization, and is told", async (house) => {
  const { person, tabs } = await threeTabs(house);
  await house.advance(4 * HOUR + 1000);
  await allAtLogIn(tabs);
  await house.server.command(`membership remove ${person.login_id} ${FABRIKAM.id}`);
  const second = tabs[1];
  assert.ok(second);
  await logInPage(second).logIn(person.login_id);
  await landingPage(second).notice.getByText("no longer belong").waitFor();
  assert.ok(place(second, house.url).startsWith(`o/${CONTOSO.id}/`));
}, { refusals: [401] });

rule("S14 S15 an anonymous visit to a screen comes back to it after the log-in", async (house) => {
  const person = await house.claimed();
  const screen = SCREENS[0] ?? "";
  const tab = await (await house.family()).tab(screen);
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), `/${screen}`);
  await logInPage(tab).logIn(person.login_id, "wrong at first, though long");
  await logInPage(tab).alert.waitFor();
  await logInPage(tab).logIn(person.login_id, PASSWORD);
  await header(tab, fullName(person)).toggle.waitFor();
  assert.equal(place(tab, house.url), screen, "kept through a refused try");
}, { refusals: [401] });

for (const bad of ["//evil.example/", "/\\evil.example", "https://evil.example/", "/logout", "/%09/e"]) {
  rule(`S15 A23 return_to=${bad} leads nowhere else`, async (house) => {
    const person = await house.claimed();
    const family = await house.family();
    const tab = await family.tab(`login?return_to=${encodeURIComponent(bad)}`);
    await logInPage(tab).logIn(person.login_id);
    await landingPage(tab).greeting.waitFor();
    assert.equal(place(tab, house.url), `o/${CONTOSO.id}/`);
  });
}

rule("another person logs in while a tab is open: the tab never acts for them", async (house) => {
  const [one, two] = [await house.claimed(0), await house.claimed(1)];
  const family = await house.family();
  const first = await family.tab("login");
  await logInPage(first).logIn(one.login_id);
  await header(first, fullName(one)).toggle.waitFor();
  await first.goto(`${house.url}account`);
  const before = await family.cookie();
  // As a login page does that was open before, without the script that would have led it on.
  const answer = await family.context.request.post(`${house.url}api/v1/session`, {
    data: { login_id: two.login_id, password: PASSWORD },
    headers: { origin: new URL(house.url).origin },
  });
  assert.equal(answer.status(), 201);
  await eventually("the first tab is on a landing page of who is logged in now", async () =>
    place(first, house.url).startsWith(`o/${CONTOSO.id}/`) &&
    (await header(first, fullName(two)).toggle.isVisible()));
  assert.equal((await family.ask(before)).body.reason, "logged_in_again");
}, { refusals: [401, 409] });

rule("another person logs in: a form of the tab before is not sent as them", async (house) => {
  const [one, two] = [await house.claimed(0), await house.claimed(1)];
  for (const person of [one, two]) {
    await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  }
  // Without scripts nothing warns the first tab: the server has to refuse.
  const family = await house.family({ javaScriptEnabled: false });
  const [first, second] = [await family.tab("login"), await family.tab("login")];
  await logInPage(first).logIn(one.login_id);
  await header(first, fullName(one)).toggle.waitFor();
  await first.goto(`${house.url}account`);
  await first.getByLabel("Default organization").selectOption({ label: FABRIKAM.name });
  await logInPage(second).logIn(two.login_id);
  await header(second, fullName(two)).toggle.waitFor();
  await first.getByRole("button", { name: "Save" }).click();
  await landingPage(first).notice.getByText("nothing was saved").waitFor();
  await header(first, fullName(two)).toggle.waitFor();
  await first.goto(`${house.url}account`);
  const chosen = first.getByLabel("Default organization").locator("option:checked");
  assert.equal(await chosen.textContent(), CONTOSO.name);
}, { refusals: [401, 403, 409] });

rule("a tab that is late does not take away the cookie of a newer log-in", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person, { javaScriptEnabled: false });
  const before = await family.cookie();
  // Another tab logs in, and its answer is still on its way: this browser has the old cookie yet.
  const answer = await fetch(`${house.url}api/v1/session`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      cookie: `narthex=${before?.value}`,
      origin: new URL(house.url).origin,
    },
    body: JSON.stringify({ login_id: person.login_id, password: PASSWORD }),
  });
  assert.equal(answer.status, 201);
  for (const path of ["account", "login?return_to=/account"]) {
    await tab.goto(`${house.url}${path}`);
    const now = await family.cookie();
    assert.equal(now?.value, before?.value, `${path}: the cookie is left alone`);
  }
}, { refusals: [401] });
