// @ts-check
/** Pages for everyone: languages, suggested passwords, drafts, the end of a long day, print. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { eventually, pause } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import {
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  header,
  landingPage,
  logInPage,
  passwordPage,
  warning,
} from "../lib/pages.mjs";
import { CONTOSO, NEW_PASSWORD, PASSWORD, fullName } from "../lib/people.mjs";
import { TOUR_REFUSALS, tour } from "../lib/tour.mjs";

const HOUR = 3600 * 1000;
const MINUTE = 60 * 1000;
const NOTES = `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=settings`;

/** @param {import("playwright-core").Page} tab */
const note = (tab) => tab.getByLabel("A note to yourself");

/** Types a note, and waits until it is kept. @param {import("playwright-core").Page} tab */
async function typeNote(tab, text = "Half a thought") {
  await note(tab).pressSequentially(text);
  await eventually("the draft is kept", async () => (await drafts(tab)).length === 1);
}

/** The drafts in the storage of a tab. @param {import("playwright-core").Page} tab */
function drafts(tab) {
  return tab.evaluate(() => {
    const entries = Object.entries(sessionStorage);
    return entries.filter(([name]) => name.startsWith("narthex.draft."));
  });
}

rule("a person reads every step in the language of their browser, and can choose another", async (house) => {
  const spanish = await house.family({ locale: "es-MX" });
  const tab = await spanish.tab("login");
  assert.equal(await tab.locator("html").getAttribute("lang"), "es");
  await tab.getByRole("heading", { name: "Iniciar sesión", level: 1 }).waitFor();
  await tab.getByRole("link", { name: "English" }).click();
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).claim.click();
  await claimPage(tab).heading.waitFor();
  await tab.goto(`${house.url}help`);
  assert.equal(await tab.locator("html").getAttribute("lang"), "en", "the choice stays");
});

rule("Suggest one fills the field in, is said, and leaves the rest of the form alone", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}account/password`);
  await passwordPage(tab).current.fill(PASSWORD);
  await tab.getByRole("button", { name: "Suggest one" }).click();
  await eventually("a suggestion", async () => (await passwordPage(tab).fresh.inputValue()) !== "");
  const words = await passwordPage(tab).fresh.inputValue();
  assert.match(words, /^[a-z]+(-[a-z]+){3,}$/);
  assert.equal(await passwordPage(tab).fresh.getAttribute("type"), "text", "it can be read");
  const said = tab.locator("#new-progress");
  assert.equal(await said.getAttribute("role"), "status");
  assert.ok((await said.textContent())?.includes(words));
  assert.equal(await passwordPage(tab).current.inputValue(), PASSWORD);
  await passwordPage(tab).button.click();
  await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
  await header(tab, fullName(person)).leave();
  await logInPage(tab).logIn(person.login_id, words);
  await landingPage(tab).greeting.waitFor();
});

rule("the list of requirements is quiet while one types and says what is missing at a pause", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}account/password`);
  const said = tab.locator("#new-progress");
  const met = tab.locator("#requirements li.met");
  await passwordPage(tab).fresh.focus();
  for (const letter of "seven le") {
    await tab.keyboard.type(letter);
    assert.equal(await said.textContent(), "", "nothing is said while typing");
  }
  await eventually("a pause", async () => (await said.textContent())?.startsWith("Still missing: "));
  assert.equal(await met.count(), 0);
  await tab.keyboard.type("agues of lace");
  await passwordPage(tab).current.focus();
  assert.match((await said.textContent()) ?? "", /^Good so far/, "leaving the field says it at once");
  assert.equal(await met.count(), 1);
});

rule("a draft outlives a log-out by inactivity, for the same person and nobody else", async (house) => {
  const person = await house.claimed(0);
  const other = await house.claimed(1);
  const { tab } = await house.loggedIn(person, { clock: true });
  await tab.goto(`${house.url}${NOTES}`);
  await typeNote(tab);
  const [[, kept = ""] = []] = await drafts(tab);
  assert.ok(!kept.includes("thought") && !atob(kept.replace(/.*\./, "").replaceAll("-", "+").replaceAll("_", "/")).includes("thought"), "encrypted");
  await house.advance(4 * HOUR + MINUTE);
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).logIn(person.login_id);
  await note(tab).waitFor();
  await eventually("the draft is back", async () => (await note(tab).inputValue()) === "Half a thought");
  await tab.getByText("This is what you were typing").waitFor();

  await house.advance(4 * HOUR + MINUTE);
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).logIn(other.login_id);
  await landingPage(tab).greeting.waitFor();
  await eventually("gone", async () => (await drafts(tab)).length === 0);
  await tab.goto(`${house.url}${NOTES}`);
  assert.equal(await note(tab).inputValue(), "");
}, { refusals: [401] });

rule("S11 logging out takes every draft with it, in every tab", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person);
  await tab.goto(`${house.url}${NOTES}`);
  await typeNote(tab);
  const second = await family.tab(NOTES);
  await typeNote(second, "Another thought");
  await header(tab, fullName(person)).leave();
  for (const one of [tab, second]) {
    await logInPage(one).heading.waitFor();
    await eventually("gone", async () => (await drafts(one)).length === 0);
  }
}, { refusals: [401] });

rule("S11 a tab that asks before it hears of the log-out keeps no draft either", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person);
  // What would tell the second tab comes late: the first one leads, hears nothing, and is slow.
  await tab.route(/api\/v1\/events/, (route) => route.abort("internetdisconnected"));
  await tab.reload();
  await landingPage(tab).greeting.waitFor();
  const second = await family.tab(NOTES);
  await typeNote(second, "Another thought");
  await tab.route(/assets\/portal\..*js/, async (route) => {
    await pause(3000);
    await route.continue();
  });
  await header(tab, fullName(person)).leave();
  await logInPage(second).notice.getByText("You are logged out").waitFor();
  await eventually("gone", async () => (await drafts(second)).length === 0);
}, { refusals: [401], offline: true });

rule("the end of a whole day is told before, with its reason, and nothing puts it off", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person, { clock: true });
  for (let hours = 3; hours < 24; hours += 3) {
    await house.advance(3 * HOUR);
    await tab.keyboard.press("Shift");
    await tab.reload();
    await landingPage(tab).greeting.waitFor();
  }
  await house.advance(3 * HOUR - 4 * MINUTE);
  await warning(tab).dialog.waitFor();
  const text = (await warning(tab).dialog.textContent()) ?? "";
  assert.match(text, /in 5 minutes, because you have been logged in for a whole day/);
  await warning(tab).dialog.getByRole("button", { name: "All right" }).click();
  await warning(tab).dialog.waitFor({ state: "hidden" });
  await house.advance(3 * MINUTE + 10_000);
  await warning(tab).dialog.getByText("in 1 minute").waitFor();
  await house.advance(MINUTE);
  await logInPage(tab).notice.getByText("logged in for a whole day").waitFor();
}, { refusals: [401] });

rule("the tour walks through every page of the route table", async (house) => {
  const source = new URL("../../../../adapters/http/src/routes.rs", import.meta.url);
  const table = await readFile(source, "utf8");
  const rows = [...table.matchAll(/get\(\s*"(\/[^"]*)"/g)].map(([, pattern = ""]) => pattern);
  // What is no page, or leads to one at once.
  const others = /^\/(api\/|assets\/|healthz|\.well-known\/|header$|$)/;
  const pages = rows.filter((pattern) => !others.test(pattern));
  assert.ok(pages.length >= 12, `${pages.length} pages`);
  /** @type {Set<string>} */
  const seen = new Set();
  await tour(house, await house.family({ clock: true }), async (_, tab) => {
    seen.add(new URL(tab.url()).pathname);
  });
  const missed = pages.filter((pattern) => {
    const path = new RegExp(`^${pattern.replace(/\{[^}]+\}/g, "[^/]+")}$`);
    return ![...seen].some((one) => path.test(one));
  });
  assert.deepEqual(missed, [], "add these to lib/tour.mjs");
}, { refusals: TOUR_REFUSALS });

rule("the landing page and the help page print without menus and forms", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await tab.emulateMedia({ media: "print" });
  assert.ok(await landingPage(tab).statistics.isVisible());
  assert.ok(!(await header(tab, fullName(person)).toggle.isVisible()));
  assert.ok(!(await tab.getByRole("contentinfo").isVisible()));
  await tab.goto(`${house.url}help`);
  assert.ok(await tab.getByRole("main").getByRole("link").first().isVisible());
});

rule("S7 S8 S11 S17 behind the log-in everything can be done with the keyboard alone", async (house) => {
  const person = await house.claimed();
  const tab = await (await house.family()).tab("login");
  await keys(tab, "Student Number", person.login_id);
  await keys(tab, "Password", PASSWORD, "Enter");
  await landingPage(tab).greeting.waitFor();
  await keys(tab, fullName(person), "", "Enter");
  await keys(tab, "Default organization", "", "Enter");
  await tab.getByRole("heading", { name: "Account details", level: 1 }).waitFor();
  await keys(tab, fullName(person), "", "Enter");
  await keys(tab, "Change password", "", "Enter");
  await passwordPage(tab).heading.waitFor();
  await keys(tab, "Current password", PASSWORD);
  await keys(tab, "New password", NEW_PASSWORD);
  await keys(tab, "Save", "", "Space");
  await landingPage(tab).notice.waitFor();
  await keys(tab, fullName(person), "", "Enter");
  await keys(tab, "Log out", "", "Enter");
  await logInPage(tab).heading.waitFor();
});

/**
 * Goes there with Tab, types, and presses a key.
 * @param {import("playwright-core").Page} tab @param {string} name the accessible name
 */
async function keys(tab, name, text = "", key = "") {
  const TABS_MAX = 60;
  for (let tabs = 0; ; tabs += 1) {
    assert.ok(tabs < TABS_MAX, `${name}: not reached by Tab`);
    await tab.keyboard.press("Tab");
    const here = await tab.evaluate(() => {
      const element = /** @type {HTMLElement | null} */ (document.activeElement);
      const label = /** @type {HTMLInputElement | null} */ (element)?.labels?.[0];
      return (label?.textContent ?? element?.textContent ?? "").replace(/\s+/g, " ").trim();
    });
    if (here === name) break;
  }
  if (text) await tab.keyboard.type(text);
  if (key) await tab.keyboard.press(key);
}

rule("who hears the claim is told where they are, what is wrong, and led there", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  const story = await tab.getByRole("main").ariaSnapshot();
  for (const line of [
    'heading "Claim My Account" [level=1]',
    "Step 1 of 3",
    'textbox "First Name"',
    'group "Birthdate"',
    'textbox "Month"',
    'textbox "Student Number"',
    'button "Continue"',
  ]) {
    assert.ok(story.includes(line), `${line} is not in\n${story}`);
  }
  await claimPage(tab).send({ ...person, given_name: "" , birthdate: "2012-13-01" });
  // The browser itself asks for what is empty; what it lets through the server judges.
  await claimPage(tab).given.fill("x");
  await claimPage(tab).button.click();
  await claimPage(tab).alert.waitFor();
  const focus = () => tab.evaluate(() => document.activeElement?.id);
  assert.equal(await focus(), "error-summary");
  await claimPage(tab).alert.getByRole("link").first().press("Enter");
  assert.equal(await focus(), "birth_month");
  const month = claimPage(tab).month;
  assert.equal(await month.getAttribute("aria-invalid"), "true");
  const described = (await month.getAttribute("aria-describedby"))?.split(" ") ?? [];
  const words = await Promise.all(described.map((id) => tab.locator(`#${id}`).textContent()));
  assert.ok(words.join(" ").includes("The month is a number from 1 to 12."), words.join(" "));
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  const next = await tab.getByRole("main").ariaSnapshot();
  for (const line of ["Step 2 of 3", "textbox \"New password\"", "button \"Suggest one\"", "status"]) {
    assert.ok(next.includes(line), `${line} is not in\n${next}`);
  }
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
}, { refusals: [422] });

