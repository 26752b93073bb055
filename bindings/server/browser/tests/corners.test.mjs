// @ts-check
/** What happens at the corners: races, closed tabs, the office, a portal below a prefix. */
import assert from "node:assert/strict";

import { A_SECOND, eventually } from "../lib/eventually.mjs";
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
  warning,
} from "../lib/pages.mjs";
import { CONTOSO, NEW_PASSWORD, PASSWORD, fullName } from "../lib/people.mjs";

const HOUR = 3600 * 1000;

rule("P2 two browsers claim one account: the first wins, the other is told so", async (house) => {
  const person = await house.pupil();
  const tabs = [];
  const words = ["first come with brown shoes 1!A", "second come with red gloves 2!B"];
  for (const word of words) {
    const tab = await (await house.family()).tab("claim");
    await claimPage(tab).send(person);
    await claimPasswordPage(tab).send(word);
    await claimQuestionsPage(tab).fill();
    tabs.push(tab);
  }
  const [first, second] = tabs;
  assert.ok(first && second);
  await claimQuestionsPage(first).button.click();
  await logInPage(first).notice.getByText("Your account is ready").waitFor();
  await claimQuestionsPage(second).button.click();
  await logInPage(second).notice.getByText("claimed already").waitFor();
  await logInPage(second).logIn(person.login_id, words[1]);
  await logInPage(second).alert.waitFor();
  await logInPage(first).logIn(person.login_id, words[0]);
  await landingPage(first).greeting.waitFor();
}, { refusals: [401] });

rule("a claim that took too long begins again, and says so", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  await house.advance(11 * 60_000);
  await claimPasswordPage(tab).send();
  await claimPage(tab).notice.getByText("took too long").waitFor();
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
}, { refusals: [401, 403, 410] });

rule("when the tab that listens is closed, another one listens", async (house) => {
  const person = await house.claimed();
  const { family, tab: leading } = await house.loggedIn(person);
  const two = await family.tab(`o/${CONTOSO.id}/downloads`);
  const three = await family.tab("account");
  const { tab: other } = await house.loggedIn(person);
  const listening = family.context.waitForEvent("response", {
    predicate: (response) => response.url().endsWith("/api/v1/events"),
  });
  await leading.close();
  assert.equal((await listening).status(), 200);
  await other.goto(`${house.url}account/password`);
  const sent = other.waitForRequest((request) => request.method() === "POST");
  const saved = passwordPage(other).send(PASSWORD, NEW_PASSWORD);
  await sent;
  const waits = [two, three].map((tab, index) =>
    eventually(`tab ${index + 2} is on the login page`, () =>
      place(tab, house.url).startsWith("login?"), A_SECOND),
  );
  const took = (await Promise.all(waits)).map((wait) => wait.took);
  house.tell(`${took.join(", ")} ms after the form was sent`);
  await saved;
  assert.equal(returnTo(two), `/o/${CONTOSO.id}/downloads`);
  assert.equal(returnTo(three), "/account");
}, { refusals: [401] });

rule("who is disabled by the office is logged out at once, and told to write", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await house.server.command(`disable ${person.login_id}`);
  await logInPage(tab).notice.getByText("turned off").waitFor();
  await logInPage(tab).logIn(person.login_id);
  await logInPage(tab).alert.getByText("write to the people").waitFor();
}, { refusals: [401] });

rule("who is logged in and opens the login page is led on", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}login`);
  await landingPage(tab).greeting.waitFor();
  const other = await family.tab("");
  assert.equal(place(other, house.url), `o/${CONTOSO.id}/`);
  const well = await family.tab();
  await well.goto(`${new URL(house.url).origin}/.well-known/change-password`);
  await passwordPage(well).heading.waitFor();
});

rule("two log-ins in two private windows are two sessions, and log out apart", async (house) => {
  const person = await house.claimed();
  const { tab: one } = await house.loggedIn(person);
  const { tab: two } = await house.loggedIn(person);
  await header(one, fullName(person)).leave();
  await logInPage(one).heading.waitFor();
  await two.reload();
  await header(two, fullName(person)).toggle.waitFor();
}, { refusals: [401] });

rule("below a prefix everything works as at the root", async (house) => {
  const person = await house.pupil();
  assert.match(house.url, /\/school\/portal\/$/);
  const family = await house.family({ clock: true });
  const tab = await family.tab("");
  await logInPage(tab).claim.click();
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).send();
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
  const screen = `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`;
  await tab.goto(`${house.url}${screen}`);
  await house.advance(4 * HOUR - 60_000);
  await warning(tab).stay.click();
  await warning(tab).dialog.waitFor({ state: "hidden" });
  await house.advance(4 * HOUR + 1000);
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), `/${screen}`);
  await logInPage(tab).logIn(person.login_id);
  await header(tab, fullName(person)).toggle.waitFor();
  assert.equal(place(tab, house.url), screen);
  await header(tab, fullName(person)).open();
  await header(tab, fullName(person)).password.click();
  await passwordPage(tab).send(PASSWORD, NEW_PASSWORD);
  await landingPage(tab).notice.getByText("has been changed").waitFor();
  await header(tab, fullName(person)).leave();
  await logInPage(tab).heading.waitFor();
  assert.equal(place(tab, house.url).startsWith("login"), true);
}, { refusals: [401], words: ["--base-path", "/school/portal"] });

rule("the classic profile states its classes, and takes a password that has them", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).send(person);
  const text = await tab.getByRole("main").innerText();
  assert.match(text, /at least 8 characters/i);
  assert.match(text, /a capital letter/i);
  await claimPasswordPage(tab).send("nine lower");
  await claimPasswordPage(tab).alert.waitFor();
  await claimPasswordPage(tab).send("Marzipan_47");
  await claimQuestionsPage(tab).heading.waitFor();
}, { refusals: [422], words: ["--profile", "classic"] });

rule("without security questions a claim has two steps", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  await tab.getByText("Step 1 of 2").waitFor();
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).send();
  await logInPage(tab).logIn(person.login_id);
  await landingPage(tab).greeting.waitFor();
}, { words: ["--questions", "0"] });
