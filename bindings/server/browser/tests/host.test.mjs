// @ts-check
/** The rules on a host's own pages: those of `examples/axum-embed` and `examples/hyper-embed`. */
import assert from "node:assert/strict";

import { A_SECOND, eventually } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import { header, landingPage, logInPage, passwordPage, returnTo, warning } from "../lib/pages.mjs";
import { CONTOSO, FABRIKAM, NEW_PASSWORD, PASSWORD, claimQuickly, fullName } from "../lib/people.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("../lib/house.mjs").House} House */

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
const FRIDAY = `/timetable/${CONTOSO.id}/friday`;
const TUESDAY = `/timetable/${FABRIKAM.id}/tuesday`;

/** A page of the host. @param {House} house @param {string} path */
const at = (house, path) => new URL(path, house.url).href;

/** Where a tab is, from the root of the origin. @param {Page} tab */
function place(tab) {
  const { pathname, search } = new URL(tab.url());
  return pathname + search;
}

/** What the header stands on. @param {ReturnType<typeof header>} top */
const surface = (top) => top.banner.evaluate((bar) => getComputedStyle(bar).backgroundColor);

/** Somebody of two schools, logged in, on a page of the host. @param {House} house */
async function onFriday(house, /** @type {Parameters<House["family"]>[0]} */ options = {}) {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  await claimQuickly(house.url, person);
  const { family, tab } = await house.loggedIn(person, options);
  await tab.goto(at(house, FRIDAY));
  const top = header(tab, fullName(person));
  await top.toggle.waitFor();
  return { person, family, tab, top };
}

for (const host of ["axum", "hyper"]) {
  /** @param {string} name @param {(house: House) => Promise<void>} body */
  const onHost = (name, body, options = {}) =>
    rule(`${name} (${host})`, body, { words: ["--host", host], refusals: [401], ...options });

  onHost("S7 a page of the host has the header, and neither style reaches the other", async (house) => {
    const { tab, top } = await onFriday(house);
    assert.equal(await top.password.isVisible(), false, "closed at first");
    await top.open();
    for (const entry of [top.details, top.organization, top.password, top.logOut]) {
      await entry.waitFor();
      const { font, transform, style } = await entry.evaluate((element) => {
        const { fontFamily: font, textTransform: transform, fontStyle: style } =
          getComputedStyle(element);
        return { font, transform, style };
      });
      assert.match(font, /^system-ui/);
      assert.deepEqual([transform, style], ["none", "normal"]);
    }
    const heading = tab.getByRole("heading", { level: 1 });
    assert.match(await heading.evaluate((h) => getComputedStyle(h).fontFamily), /^Georgia/);
    await tab.getByRole("heading", { level: 1 }).click();
    await top.password.waitFor({ state: "hidden" });
    // The page has no dark side: the header stays light on it.
    await tab.emulateMedia({ colorScheme: "dark" });
    assert.equal(await surface(top), "rgb(255, 255, 255)");
    const csp = await tab.locator("meta[http-equiv]").getAttribute("content");
    assert.match(csp ?? "", /^default-src 'none'; script-src 'self'; style-src 'self'/);
  });

  onHost("S7 the header is walked with the keyboard, from the host's page to ours", async (house) => {
    const { person, tab, top } = await onFriday(house);
    const focused = () =>
      tab.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent?.trim());
    for (let presses = 0; (await focused()) !== fullName(person); presses += 1) {
      assert.ok(presses < 10, "the Tab key never comes to the name");
      await tab.keyboard.press("Tab");
    }
    await tab.keyboard.press("Enter");
    await top.password.waitFor();
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

  onHost("S7 the switcher leads to the same application in the other organization", async (house) => {
    const { tab, top } = await onFriday(house);
    await top.banner.getByText(CONTOSO.name).first().click();
    await top.banner.getByRole("link", { name: FABRIKAM.name }).click();
    await tab.waitForURL(new RegExp(`/timetable/${FABRIKAM.id}/`));
    await tab.getByRole("heading", { name: `school ${FABRIKAM.id}` }).waitFor();
  });

  onHost("S8 S9 S10 a password change lands the host's tabs and ends other browsers", async (house) => {
    const { person, family, tab: one } = await onFriday(house);
    const two = await family.tab();
    await two.goto(at(house, TUESDAY));
    const three = await family.tab();
    await three.goto(at(house, FRIDAY));
    const { family: elsewhere, tab: other } = await house.loggedIn(person);
    await other.goto(at(house, TUESDAY));
    const oldElsewhere = await elsewhere.cookie();
    await header(one, fullName(person)).open();
    await header(one, fullName(person)).password.click();
    await passwordPage(one).heading.waitFor();
    await passwordPage(one).current.fill(PASSWORD);
    await passwordPage(one).fresh.fill(NEW_PASSWORD);
    const sent = one.waitForRequest((request) => request.method() === "POST");
    const saved = passwordPage(one).button.click();
    await sent;
    const waits = [
      eventually("the second tab is on its landing page", () =>
        place(two).startsWith(`/portal/o/${FABRIKAM.id}/?`), A_SECOND),
      eventually("the third tab is on its landing page", () =>
        place(three).startsWith(`/portal/o/${CONTOSO.id}/?`), A_SECOND),
      eventually("the other browser is on the login page", () =>
        place(other).startsWith("/portal/login?"), A_SECOND),
    ];
    const took = (await Promise.all(waits)).map((wait) => wait.took);
    house.tell(`${took.join(", ")} ms after the form was sent`);
    await saved;
    for (const tab of [one, two, three]) {
      await landingPage(tab).notice.getByText("Your password has been changed").waitFor();
    }
    const refused = await elsewhere.ask(oldElsewhere);
    assert.equal(refused.body.reason, "password_changed");
    assert.equal(returnTo(other), TUESDAY);
    await logInPage(other).logIn(person.login_id, NEW_PASSWORD);
    await header(other, fullName(person)).toggle.waitFor();
    assert.equal(place(other), TUESDAY, "back where it was");
  });

  onHost("S11 log out in the host's header leads all tabs to the login page", async (house) => {
    const { family, tab: one, top } = await onFriday(house);
    const two = await family.tab();
    await two.goto(at(house, TUESDAY));
    const before = await family.cookie();
    await top.leave();
    await logInPage(one).heading.waitFor();
    await logInPage(two).heading.waitFor();
    assert.equal(returnTo(two), TUESDAY);
    assert.equal((await family.ask(before)).body.reason, "log_out");
    assert.equal((await family.cookie())?.value ?? "", "");
    await one.goBack();
    await logInPage(one).heading.waitFor();
  });

  onHost("S12 S14 S15 after four hours each tab comes back to its page and organization", async (house) => {
    const { person, family, tab: one } = await onFriday(house, { clock: true });
    const two = await family.tab();
    await two.goto(`${at(house, TUESDAY)}?week=3#day`);
    const three = await family.tab("account/password");
    await house.advance(4 * HOUR + 1000);
    for (const tab of [one, two, three]) await logInPage(tab).heading.waitFor();
    assert.deepEqual([one, two, three].map(returnTo), [
      FRIDAY,
      `${TUESDAY}?week=3#day`,
      "/account/password",
    ]);
    assert.ok(new URL(two.url()).searchParams.get("for"), "tagged for who was there");
    await logInPage(one).logIn(person.login_id);
    await header(one, fullName(person)).toggle.waitFor();
    assert.equal(place(one), FRIDAY);
    for (const tab of [two, three]) {
      await tab.bringToFront();
      await header(tab, fullName(person)).toggle.waitFor();
    }
    assert.equal(two.url(), `${at(house, TUESDAY)}?week=3#day`);
    assert.equal(place(three), "/portal/account/password");
  });

  onHost("S15 another person who logs in there does not see the page that was left", async (house) => {
    const other = await house.claimed(1);
    const { tab } = await onFriday(house, { clock: true });
    await house.advance(4 * HOUR + 1000);
    await logInPage(tab).heading.waitFor();
    await logInPage(tab).logIn(other.login_id);
    await landingPage(tab).greeting.waitFor();
    assert.equal(place(tab), `/portal/o/${CONTOSO.id}/`);
  });

  onHost("S12 S13 typing in the host's page keeps the portal's tabs, and the warning stands here", async (house) => {
    const { family, tab } = await onFriday(house, { clock: true });
    const portal = await family.tab("account");
    await house.advance(3 * HOUR);
    await tab.bringToFront();
    const told = family.context.waitForEvent("response", {
      predicate: (response) => response.url().endsWith("/session/activity"),
    });
    await tab.getByLabel("A note to yourself").pressSequentially("bring the map");
    assert.equal((await told).status(), 204);
    await house.advance(3 * HOUR);
    assert.equal(place(portal), "/portal/account");
    await house.advance(HOUR - 4 * MINUTE);
    const { dialog, stay } = warning(tab);
    await dialog.waitFor();
    const border = await dialog.evaluate((element) => getComputedStyle(element).borderStyle);
    assert.equal(border, "solid", "not in the host's style");
    await stay.click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await tab.getByLabel("A note to yourself").inputValue(), "bring the map");
    const { body } = await family.ask(await family.cookie());
    assert.ok(body.expires_in_ms > 3.9 * HOUR, `${body.expires_in_ms}`);
  });

  onHost("S11 a host's page from the browser's memory is judged before it is shown", async (house) => {
    const { person, family, tab } = await onFriday(house);
    /** @type {() => void} */
    let answer = () => {};
    const held = new Promise((resolve) => (answer = () => resolve(undefined)));
    await family.context.route("**/api/v1/session", async (route) => {
      await held;
      await route.continue();
    });
    const shown = await tab.evaluate(() => {
      window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      const { visibility, opacity } = getComputedStyle(document.documentElement);
      return [visibility, opacity];
    });
    assert.deepEqual(shown, ["hidden", "0"]);
    answer();
    await header(tab, fullName(person)).toggle.waitFor();
    const opacity = () => tab.evaluate(() => getComputedStyle(document.documentElement).opacity);
    await eventually("the page is shown again", async () => (await opacity()) === "1");
  });

  onHost("S7 S11 S14 without a script the header works, and what has ended leads to the login", async (house) => {
    const { person, tab, top } = await onFriday(house, { javaScriptEnabled: false });
    await top.open();
    await top.details.click();
    await tab.getByRole("heading", { name: "Account details", level: 1 }).waitFor();
    await tab.goto(at(house, FRIDAY));
    await house.server.advance(4 * HOUR);
    await tab.getByRole("link", { name: "Tuesday" }).click();
    await logInPage(tab).heading.waitFor();
    assert.equal(returnTo(tab), `/timetable/${CONTOSO.id}/tuesday`);
    await logInPage(tab).logIn(person.login_id);
    await header(tab, fullName(person)).toggle.waitFor();
    assert.equal(place(tab), `/timetable/${CONTOSO.id}/tuesday`);
    await header(tab, fullName(person)).leave();
    await logInPage(tab).heading.waitFor();
  });

  onHost("P8 a page of an organization one does not belong to is refused", async (house) => {
    const person = await house.claimed();
    const { tab } = await house.loggedIn(person);
    const answer = await tab.goto(at(house, TUESDAY));
    assert.equal(answer?.status(), 403);
    assert.ok(!(await tab.content()).includes("Mathematics"));
  }, { refusals: [401, 403] });
}

/** A page that is a file: nothing on it is made by a server. @param {string} attribute */
const file = (attribute) => `<!doctype html><html lang="en"><head><title>A file</title>
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self';
 style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'">
<script src="/portal/assets/portal.js" defer></script></head>
<body><narthex-header ${attribute}></narthex-header><main><h1>A file</h1></main></body></html>`;

rule("S7 S14 S15 a file has the header by an element, or the way to the login", async (house) => {
  const person = await house.claimed();
  const family = await house.family({ clock: true });
  for (const [path, attribute] of [["friday.html", ""], ["tuesday.html", "required"]]) {
    const served = (/** @type {URL} */ url) => url.pathname === `/timetable/${CONTOSO.id}/${path}`;
    await family.context.route(served, (route) =>
      route.fulfill({ contentType: "text/html", body: file(attribute ?? "") }));
  }
  const page = `/timetable/${CONTOSO.id}/friday.html`;
  const tab = await family.tab();
  await tab.goto(at(house, page));
  await tab.getByRole("banner").getByRole("link", { name: "Log In" }).click();
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), page);
  await tab.goto(at(house, `/timetable/${CONTOSO.id}/tuesday.html`));
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).logIn(person.login_id);
  const top = header(tab, fullName(person));
  await top.toggle.waitFor();
  assert.equal(place(tab), `/timetable/${CONTOSO.id}/tuesday.html`);
  await tab.goto(at(house, page));
  await tab.emulateMedia({ colorScheme: "dark" });
  assert.equal(await surface(top), "rgb(29, 36, 35)", "dark where the page can be dark");
  await top.open();
  await top.password.waitFor();
  await house.advance(4 * HOUR + 1000);
  await logInPage(tab).heading.waitFor();
  assert.equal(returnTo(tab), page);
  const scripts = house.requests.filter((line) => line.endsWith("/portal/assets/portal.js"));
  assert.ok(scripts.length > 0);
}, { words: ["--host", "axum"], refusals: [401] });
