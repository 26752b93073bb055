// @ts-check
/** Whole mornings, as `docs/stories.md` tells them. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after } from "node:test";
import { request } from "playwright-core";

import { eventually } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import {
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  header,
  landingPage,
  logInPage,
  place,
  returnTo,
} from "../lib/pages.mjs";
import { CONTOSO, PASSWORD, PRINCIPAL, claimQuickly, fullName, largeRoster } from "../lib/people.mjs";

/** @typedef {import("../lib/house.mjs").House} House */
/** @typedef {import("../lib/people.mjs").Listed} Listed */
/** @typedef {import("playwright-core").Page} Page */

const MINUTE = 60_000;
const CHILDREN = 600;
const AT_SCHOOL = { "x-forwarded-for": "203.0.113.5" };
const AT_HOME = { "x-forwarded-for": "198.51.100.7" };
const NETWORK = ["--network", `203.0.113.0/24=${CHILDREN}`];
const NOTES = `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=settings`;

const school = await largeRoster(CHILDREN);
after(() => rmSync(school, { recursive: true, force: true }));

/** @param {Page} page */
const note = (page) => page.getByLabel("A note to yourself");

/** The same person with a birthdate a year off. @param {Listed} person */
function mistyped(person) {
  const [year = "", ...rest] = (person.birthdate ?? "").split("-");
  return { ...person, birthdate: [Number(year) - 1, ...rest].join("-") };
}

/** From the claim page to the landing page. @param {Page} tab @param {Listed} person */
async function claimThrough(tab, person) {
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).send();
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
}

/** @param {House} house @param {string} path @param {object} data @param {number} times */
async function fail(house, path, data, times) {
  const origin = new URL(house.url).origin;
  const program = await request.newContext({ extraHTTPHeaders: { origin, ...AT_HOME } });
  for (let time = 0; time < times; time += 1) {
    const answer = await program.post(`${house.url}api/v1/${path}`, { data });
    assert.ok([401, 403].includes(answer.status()), `${path}: ${answer.status()}`);
  }
  await program.dispose();
}

/** @param {Listed} person */
const facts = ({ given_name, family_name, birthdate, login_id }) => ({ given_name, family_name, birthdate, login_id });

rule("A37 a classmate who tries to shut others out of their claims shuts out nobody who asks the school", async (house) => {
  const [first, second] = [await house.pupil(1), await house.pupil(2)];
  const home = await (await house.family({ extraHTTPHeaders: AT_HOME })).tab("claim");
  for (let tries = 0; tries < 10; tries += 1) {
    await claimPage(home).send(mistyped(first));
    await claimPage(home).alert.waitFor();
  }
  const refused = await claimPage(home).alert.innerText();
  // Even who knows everything is refused there now, in the same words.
  await claimPage(home).send(first);
  await claimPage(home).alert.waitFor();
  assert.equal(await claimPage(home).alert.innerText(), refused, "nobody learns what was right");
  await home.getByRole("link", { name: PRINCIPAL.email }).waitFor();

  // At school the first of them claims as if nothing had happened.
  const desk = await house.family({ extraHTTPHeaders: AT_SCHOOL });
  const tab = await desk.tab("claim");
  await claimThrough(tab, first);
  // The second is at home, and has a letter with a code.
  await fail(house, "claim", facts(mistyped(second)), 11);
  const code = await house.server.command(`claim-code ${second.login_id}`);
  const kitchen = await (await house.family({ extraHTTPHeaders: { "x-forwarded-for": "198.51.100.99" } })).tab("claim");
  await claimPage(kitchen).send(second);
  await claimPage(kitchen).alert.waitFor();
  await claimPage(kitchen).withCode.click();
  await claimPage(kitchen).code.fill(code);
  await claimThrough(kitchen, second);

  // Then the classmate guesses passwords. The browser in which the child logged in is known.
  await fail(house, "session", { login_id: first.login_id, password: "not the password at all" }, 11);
  await header(tab, fullName(first)).leave();
  await logInPage(tab).logIn(first.login_id);
  await landingPage(tab).greeting.waitFor();
}, { words: NETWORK, refusals: [401, 403] });

rule(`TH-08 ${CHILDREN} children behind one address claim in one morning`, async (house) => {
  const children = (await house.people()).filter((person) => person.birthdate);
  assert.equal(children.length, CHILDREN);
  const origin = new URL(house.url).origin;
  const slips = await request.newContext({ extraHTTPHeaders: { origin, ...AT_SCHOOL } });
  /** Types the birthdate wrong. @param {Listed} person */
  const slip = async (person) => {
    const answer = await slips.post(`${house.url}api/v1/claim`, { data: facts(mistyped(person)) });
    assert.equal(answer.status(), 403, await answer.text());
  };
  const begun = Date.now();
  // Twelve of them are watched; the others are as quick as programs.
  const watched = children.filter((_, n) => n % (CHILDREN / 12) === 0);
  const others = children.filter((child) => !watched.includes(child));
  const queues = [0, 1, 2, 3].map((queue) => others.filter((_, n) => n % 4 === queue));
  const browsers = queues.map(async (queue) => {
    for (const [n, child] of queue.entries()) {
      if (n % 2 === 0) await slip(child);
      await claimQuickly(house.url, child, PASSWORD, AT_SCHOOL);
    }
  });
  const seen = (async () => {
    for (const child of watched) {
      const family = await house.family({ extraHTTPHeaders: AT_SCHOOL });
      const tab = await family.tab("claim");
      await claimPage(tab).send(mistyped(child));
      await claimPage(tab).alert.waitFor();
      await claimThrough(tab, child);
      await tab.close();
    }
  })();
  await Promise.all([...browsers, seen]);
  await slips.dispose();
  house.tell(`${CHILDREN} claims in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  const { tab } = await house.loggedIn(children[1] ?? assert.fail(), { extraHTTPHeaders: AT_SCHOOL });
  await landingPage(tab).statistics.getByText(String(CHILDREN)).first().waitFor();
}, { words: [...NETWORK, "--roster", school], refusals: [403], minutes: 4 });

rule("a shared laptop goes from hand to hand with its tabs left open, and nobody acts for another", async (house) => {
  const [first, second, third] = [await house.claimed(0), await house.claimed(1), await house.pupil(2)];
  const laptop = await house.family({ clock: true });
  const one = await laptop.tab("login");
  await logInPage(one).logIn(first.login_id, PASSWORD, { shared: true });
  await landingPage(one).greeting.waitFor();
  await one.goto(`${house.url}${NOTES}`);
  await note(one).pressSequentially("A thought of the first");
  const two = await laptop.tab("account/password");

  // Walks away. Twenty minutes later the tabs wait at the log-in page.
  await house.advance(20 * MINUTE + 1000);
  for (const tab of [one, two]) await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(one), `/${NOTES}`);

  // The second logs in where the first left: at their own landing page, with nothing of the first.
  await logInPage(one).logIn(second.login_id, PASSWORD, { shared: true });
  await landingPage(one).greeting.waitFor();
  await header(one, fullName(second)).toggle.waitFor();
  await two.bringToFront();
  await eventually("the other tab is not on the first one's page", async () =>
    !place(two, house.url).startsWith("account/password"));
  await one.goto(`${house.url}${NOTES}`);
  assert.equal(await note(one).inputValue(), "", "no draft of another");

  // The third takes the laptop at once, sees somebody else's name, and logs them out.
  await header(one, fullName(second)).leave();
  for (const tab of [one, two]) await logInPage(tab).heading.waitFor();
  await one.goBack();
  await eventually("the back button shows nothing of before", async () =>
    (await one.getByText(fullName(second)).count()) === 0);
  await one.goto(`${house.url}claim`);
  await claimPage(one).send(third);
  await claimPasswordPage(one).heading.waitFor();
  await one.getByRole("main").getByText(fullName(third)).first().waitFor();
  await claimPasswordPage(one).send();
  await claimQuestionsPage(one).send();
  assert.equal(await logInPage(one).number.inputValue(), third.login_id);
  await logInPage(one).logIn(third.login_id, PASSWORD, { shared: true });
  await landingPage(one).greeting.waitFor();
  await header(one, fullName(third)).leave();

  // The first comes back to the second tab: to their own account, and their draft was not kept for others.
  await logInPage(two).heading.waitFor();
  await logInPage(two).logIn(first.login_id, PASSWORD, { shared: true });
  await header(two, fullName(first)).toggle.waitFor();
  await two.goto(`${house.url}account/sessions`);
  await eventually("one session, this one", async () =>
    (await two.getByRole("main").getByRole("listitem").count()) === 1);
}, { refusals: [401, 403, 409] });
