// @ts-check
import assert from "node:assert/strict";

import { A_SECOND, eventually, pause } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import { header, landingPage, logInPage, passwordPage, place, textOf } from "../lib/pages.mjs";
import { CONTOSO, FABRIKAM, NEW_PASSWORD, PASSWORD, fullName } from "../lib/people.mjs";

/** @typedef {import("../lib/house.mjs").House} House */

/** Somebody who belongs to both schools. @param {House} house */
async function memberOfTwo(house) {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  return house.claimed();
}

const BEHIND_THE_LOGIN = [
  `o/${CONTOSO.id}/`,
  `o/${CONTOSO.id}/downloads`,
  `o/${CONTOSO.id}/apps/cloud-studio`,
  `o/${CONTOSO.id}/apps/cloud-studio/projects`,
  `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`,
  "account",
  "account/password",
];

rule("S7 every page behind the log-in has the header with the name and the menu", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  for (const path of BEHIND_THE_LOGIN) {
    await tab.goto(`${house.url}${path}`);
    const top = header(tab, fullName(person));
    await top.toggle.waitFor();
    assert.equal(await top.password.isVisible(), false, `${path}: closed at first`);
    await top.open();
    for (const entry of [top.details, top.organization, top.password, top.logOut]) {
      await entry.waitFor();
    }
    await top.toggle.click();
    await top.password.waitFor({ state: "hidden" });
  }
});

rule("S7 the menu opens, is walked and closes with the keyboard", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  const top = header(tab, fullName(person));
  const focused = () => tab.evaluate(() => document.activeElement?.textContent?.trim());
  for (let presses = 0; (await focused()) !== fullName(person); presses += 1) {
    assert.ok(presses < 10, "the Tab key never comes to the name");
    await tab.keyboard.press("Tab");
  }
  await tab.keyboard.press("Enter");
  await top.password.waitFor();
  await tab.keyboard.press("Tab");
  assert.equal(await focused(), "Account details");
  await tab.keyboard.press("Escape");
  await top.password.waitFor({ state: "hidden" });
  assert.equal(await focused(), fullName(person), "the focus is back where the menu was opened");
  await tab.keyboard.press("Enter");
  for (const entry of ["Account details", "Default organization", "Change password"]) {
    await tab.keyboard.press("Tab");
    assert.equal(await focused(), entry);
  }
  await tab.keyboard.press("Enter");
  await passwordPage(tab).heading.waitFor();
});

rule(
  "S7 change password states what it wants, and wants the current and a good new one",
  async (house) => {
    const person = await house.claimed();
    const { tab } = await house.loggedIn(person);
    await header(tab, fullName(person)).open();
    await header(tab, fullName(person)).password.click();
    const page = passwordPage(tab);
    await page.heading.waitFor();
    assert.match(await textOf(tab.getByRole("main")), /at least 15 characters/i);
    assert.ok(await page.fresh.getAttribute("aria-describedby"), "the field names its requirements");
    const username = tab.locator("input[autocomplete=username]");
    assert.equal(await username.inputValue(), person.login_id, "for password managers");

    await page.send("", NEW_PASSWORD);
    const invalid = await page.current.evaluate((/** @type {any} */ f) => !f.validity.valid);
    assert.ok(invalid, "the current password is required");
    await page.send("not the current one", NEW_PASSWORD);
    await page.alert.getByText("current password is wrong").waitFor();
    await page.send(PASSWORD, "too short");
    await page.alert.waitFor();
    assert.equal(await page.fresh.getAttribute("aria-invalid"), "true");
    const name = `${person.given_name}${person.family_name}`;
    await page.send(PASSWORD, name.repeat(3));
    await page.alert.getByText("name").first().waitFor();
    await page.send(PASSWORD, NEW_PASSWORD);
    await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
  },
  { refusals: [403, 422] },
);

rule(
  "S8 S9 S10 a password change keeps this browser, lands its tabs, and ends all others",
  async (house) => {
    const person = await memberOfTwo(house);
    const { family: here, tab: one } = await house.loggedIn(person);
    const two = await here.tab(`o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`);
    const three = await here.tab(`o/${FABRIKAM.id}/apps/marketplace/projects`);
    const { family: elsewhere, tab: other } = await house.loggedIn(person);
    await other.goto(`${house.url}o/${CONTOSO.id}/downloads`);
    await one.goto(`${house.url}account/password`);
    const [oldHere, oldElsewhere] = [await here.cookie(), await elsewhere.cookie()];

    const at = (/** @type {import("playwright-core").Page} */ tab) => place(tab, house.url);
    await passwordPage(one).current.fill(PASSWORD);
    await passwordPage(one).fresh.fill(NEW_PASSWORD);
    const sent = one.waitForRequest((request) => request.method() === "POST");
    const saved = passwordPage(one).button.click();
    await sent;
    const waits = [
      eventually("the second tab is on its own landing page", () =>
        at(two).startsWith(`o/${CONTOSO.id}/?`), A_SECOND),
      eventually("the third tab is on its own landing page", () =>
        at(three).startsWith(`o/${FABRIKAM.id}/?`), A_SECOND),
      eventually("the other browser is on the login page", () =>
        at(other).startsWith("login?"), A_SECOND),
    ];
    const took = (await Promise.all(waits)).map((wait) => wait.took);
    house.tell(`${took.join(", ")} ms after the form was sent`);
    await saved;

    for (const tab of [one, two, three]) {
      await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
      await header(tab, fullName(person)).toggle.waitFor();
    }
    await logInPage(other).notice.getByText("changed in another browser").waitFor();
    const there = await here.ask(await here.cookie());
    assert.equal(there.status, 200, "this browser is logged in");
    assert.notEqual((await here.cookie())?.value, oldHere?.value, "under a new token");
    assert.equal((await here.ask(oldHere)).body.code, "token_replaced");
    const refused = await elsewhere.ask(oldElsewhere);
    assert.equal(refused.status, 401);
    assert.equal(refused.body.code, "session_ended");
    assert.equal(refused.body.reason, "password_changed");

    await logInPage(other).logIn(person.login_id, PASSWORD);
    await logInPage(other).alert.getByText("Number or password are wrong").waitFor();
    await logInPage(other).logIn(person.login_id, NEW_PASSWORD);
    await header(other, fullName(person)).toggle.waitFor();
    assert.equal(at(other), `o/${CONTOSO.id}/downloads`, "back where it was");
  },
  { refusals: [401] },
);

rule("S9 a page that a change has led to is not led away by what others tell of it", async (house) => {
  const person = await house.claimed();
  const { family, tab: one } = await house.loggedIn(person);
  const two = await family.tab("account");
  await one.goto(`${house.url}account/password`);
  await passwordPage(one).send(PASSWORD, NEW_PASSWORD);
  for (const tab of [one, two]) await landingPage(tab).notice.waitFor();
  await pause(1000);
  const loads = { one: 0, two: 0 };
  one.on("framenavigated", () => (loads.one += 1));
  two.on("framenavigated", () => (loads.two += 1));
  await two.evaluate(() => {
    const meta = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="narthex-family"]'));
    const channel = new BroadcastChannel(`narthex.${meta.content}`);
    channel.postMessage({ type: "password_changed" });
  });
  await pause(1000);
  assert.deepEqual(loads, { one: 0, two: 0 });
});

rule("S11 log out leads to the login page, in all tabs of this browser", async (house) => {
  const person = await house.claimed();
  const { family, tab: one } = await house.loggedIn(person);
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  const { family: elsewhere, tab: other } = await house.loggedIn(person);
  const before = await family.cookie();
  await header(one, fullName(person)).open();
  const sent = one.waitForRequest((request) => request.method() === "POST");
  const left = header(one, fullName(person)).logOut.click();
  await sent;
  const { took } = await eventually("the other tab is on the login page", () =>
    place(two, house.url).startsWith("login"), A_SECOND);
  house.tell(`${took} ms after the form was sent`);
  await left;
  await logInPage(one).heading.waitFor();
  await logInPage(two).heading.waitFor();
  assert.equal((await family.ask(before)).body.reason, "log_out");
  assert.equal((await family.cookie())?.value ?? "", "");
  await other.reload();
  assert.equal((await elsewhere.ask(await elsewhere.cookie())).status, 200, "others stay");
}, { refusals: [401] });

rule("S11 the back button shows nothing of before after a log-out", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}account`);
  await header(tab, fullName(person)).leave();
  await logInPage(tab).heading.waitFor();
  for (const step of [1, 2]) {
    await tab.goBack();
    await logInPage(tab).heading.waitFor();
    const shown = await tab.content();
    assert.ok(!shown.includes(person.family_name), `${step} back`);
  }
}, { refusals: [401] });

rule(
  "S11 a page that comes back from the browser's memory is judged before it is shown",
  async (house) => {
    const person = await house.claimed();
    const { family, tab } = await house.loggedIn(person);
    await tab.goto(`${house.url}account`);
    // What a browser tells a page that it takes out of its memory, while the answer is on its way.
    /** @type {() => void} */
    let answer = () => {};
    const held = new Promise((resolve) => (answer = () => resolve(undefined)));
    await family.context.route("**/api/v1/session", async (route) => {
      await held;
      await route.continue();
    });
    const hidden = await tab.evaluate((name) => {
      window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      const shown = [...document.querySelectorAll("body *")].filter((element) =>
        [...element.childNodes].some(
          (node) => node.nodeType === 3 && node.textContent?.includes(name),
        ),
      );
      return shown.every((element) => getComputedStyle(element).visibility === "hidden");
    }, person.family_name);
    assert.ok(hidden, "nothing with the name is visible while the server has not said so");
    const cookie = await family.cookie();
    const ended = await fetch(`${house.url}api/v1/session`, {
      method: "DELETE",
      headers: { cookie: `narthex=${cookie?.value}`, origin: new URL(house.url).origin },
    });
    assert.equal(ended.status, 204);
    answer();
    await logInPage(tab).heading.waitFor();
  },
  { refusals: [401] },
);

rule(
  "S11 the back button shows nothing of before, with the browser's memory of pages on",
  async (house) => {
    const person = await house.claimed();
    const { tab } = await house.loggedIn(person);
    await tab.goto(`${house.url}account`);
    await header(tab, fullName(person)).leave();
    await logInPage(tab).heading.waitFor();
    await tab.goBack().catch(() => {});
    await eventually("the login page is shown", () => logInPage(tab).heading.isVisible());
    assert.ok(!(await tab.content()).includes(person.family_name));
  },
  { refusals: [401], launch: { ignoreDefaultArgs: ["--disable-back-forward-cache"] } },
);

rule("a double click on Save changes the password once and says so", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}account/password`);
  await passwordPage(tab).current.fill(PASSWORD);
  await passwordPage(tab).fresh.fill(NEW_PASSWORD);
  await passwordPage(tab).button.dblclick();
  await landingPage(tab).greeting.waitFor();
  await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
  assert.equal((await family.ask(await family.cookie())).status, 200);
  const other = await (await house.family()).tab("login");
  await logInPage(other).logIn(person.login_id, NEW_PASSWORD);
  await landingPage(other).greeting.waitFor();
}, { refusals: [401, 403, 409] });

rule("S17 the default organization can be set, and is where the next log-in lands", async (house) => {
  const person = await memberOfTwo(house);
  const { tab } = await house.loggedIn(person);
  assert.equal(place(tab, house.url), `o/${CONTOSO.id}/`);
  await header(tab, fullName(person)).open();
  await header(tab, fullName(person)).organization.click();
  await tab.getByLabel("Default organization").selectOption({ label: FABRIKAM.name });
  await tab.getByRole("button", { name: "Save" }).click();
  await tab.getByRole("status").getByText("Saved").waitFor();
  const { tab: next } = await house.loggedIn(person);
  assert.equal(place(next, house.url), `o/${FABRIKAM.id}/`);
});
