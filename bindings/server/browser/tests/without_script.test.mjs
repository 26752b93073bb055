// @ts-check
/** Everything works without JavaScript: the whole way of a person, and what ends it. */
import assert from "node:assert/strict";

import { rule } from "../lib/house.mjs";
import {
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  header,
  landingPage,
  logInPage,
  passwordPage,
  place,
  returnTo,
} from "../lib/pages.mjs";
import { CONTOSO, NEW_PASSWORD, PASSWORD, PRINCIPAL, fullName } from "../lib/people.mjs";

const HOUR = 3600 * 1000;
const PLAIN = { javaScriptEnabled: false };

rule("S1-S7 without a script: from the login link to the landing page and its menu", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family(PLAIN)).tab("");
  await logInPage(tab).claim.click();
  await claimPage(tab).unknown.click();
  await tab.getByRole("link", { name: PRINCIPAL.email }).waitFor();
  await claimPage(tab).send({ ...person, given_name: "Somebody" });
  await claimPage(tab).alert.waitFor();
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).send("too short");
  await claimPasswordPage(tab).alert.waitFor();
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).send(["Teddy", "The Frog Parade"]);
  await claimQuestionsPage(tab).alert.waitFor();
  await claimQuestionsPage(tab).send();
  assert.equal(await logInPage(tab).number.inputValue(), person.login_id);
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
  await header(tab, fullName(person)).open();
  await header(tab, fullName(person)).details.click();
  await tab.getByRole("heading", { name: "Account details", level: 1 }).waitFor();
}, { refusals: [403, 422] });

rule("S8-S10 without a script: the next click of every other tab leads on", async (house) => {
  const person = await house.claimed();
  const { family, tab: one } = await house.loggedIn(person, PLAIN);
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  const three = await family.tab("account");
  const { tab: other } = await house.loggedIn(person, PLAIN);
  await one.goto(`${house.url}account/password`);
  await passwordPage(one).send(PASSWORD, NEW_PASSWORD);
  await landingPage(one).notice.getByText("Your password has been changed").waitFor();
  await header(two, fullName(person)).open();
  await header(two, fullName(person)).details.click();
  await heading(two, "Account details");
  await three.getByRole("button", { name: "Save" }).click();
  await header(three, fullName(person)).toggle.waitFor();
  await other.reload();
  await logInPage(other).notice.getByText("changed in another browser").waitFor();
  assert.equal(returnTo(other), `/o/${CONTOSO.id}/`);
  await logInPage(other).logIn(person.login_id, PASSWORD);
  await logInPage(other).alert.waitFor();
  await logInPage(other).logIn(person.login_id, NEW_PASSWORD);
  await landingPage(other).greeting.waitFor();
}, { refusals: [401] });

/** @param {import("playwright-core").Page} tab @param {string} name */
const heading = (tab, name) => tab.getByRole("heading", { name, level: 1 }).waitFor();

// The second click cancels the answer to the first, and with it the new cookie: the second gets it again.
rule("S8 without a script: a double click on Save ends logged in", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person, PLAIN);
  await tab.goto(`${house.url}account/password`);
  await passwordPage(tab).current.fill(PASSWORD);
  await passwordPage(tab).fresh.fill(NEW_PASSWORD);
  await passwordPage(tab).button.dblclick();
  await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
  assert.equal((await family.ask(await family.cookie())).status, 200);
});

rule("S11 without a script: log out, back button, other tab", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person, PLAIN);
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  await header(tab, fullName(person)).leave();
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).notice.getByText("logged out").waitFor();
  await tab.goBack();
  await logInPage(tab).heading.waitFor();
  assert.ok(!(await tab.content()).includes(person.family_name));
  await header(two, fullName(person)).open();
  await header(two, fullName(person)).details.click();
  await logInPage(two).heading.waitFor();
}, { refusals: [401] });

rule("S12 S14 S15 without a script: four hours, and back to the screen", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person, PLAIN);
  const screen = `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`;
  await tab.goto(`${house.url}${screen}`);
  await house.advance(4 * HOUR - 1000);
  await tab.getByRole("link", { name: "Settings" }).click();
  await tab.getByRole("link", { name: "Settings" }).waitFor();
  const last = place(tab, house.url);
  assert.match(last, /tab=settings$/);
  await house.advance(4 * HOUR);
  await tab.reload();
  await logInPage(tab).notice.getByText("nothing happened").waitFor();
  assert.equal(returnTo(tab), `/${last}`);
  await logInPage(tab).logIn(person.login_id);
  await header(tab, fullName(person)).toggle.waitFor();
  assert.equal(place(tab, house.url), last);
}, { refusals: [401] });

rule("S15 without a script: another person lands on the landing page", async (house) => {
  const [person, other] = [await house.claimed(0), await house.claimed(1)];
  const { tab } = await house.loggedIn(person, PLAIN);
  await tab.goto(`${house.url}o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`);
  await house.advance(4 * HOUR);
  await tab.reload();
  await logInPage(tab).logIn(other.login_id);
  await landingPage(tab).greeting.waitFor();
  assert.equal(place(tab, house.url), `o/${CONTOSO.id}/`);
}, { refusals: [401] });
