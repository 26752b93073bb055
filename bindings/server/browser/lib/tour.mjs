// @ts-check
/** All pages of the portal, one after the other, each in a state worth looking at. */
import {
  codesPage,
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  header,
  landingPage,
  logInPage,
  passwordPage,
  recoverPage,
  recoverPasswordPage,
  recoverQuestionsPage,
  sessionsPage,
  warning,
} from "./pages.mjs";
import { CONTOSO, FABRIKAM, PASSWORD, fullName } from "./people.mjs";

import { staffTour } from "./staff_tour.mjs";

const HOUR = 3600 * 1000;

/**
 * Walks through the portal as one pupil of two schools.
 * @param {import("./house.mjs").House} house
 * @param {import("./house.mjs").Family} family with a clock
 * @param {(name: string, tab: import("playwright-core").Page) => Promise<void>} visit
 */
export async function tour(house, family, visit) {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  await staffTour(house, family, visit);
  const tab = await family.tab("login");
  await visit("login", tab);
  await logInPage(tab).logIn(person.login_id, "not made yet");
  await logInPage(tab).alert.waitFor();
  await visit("login-refused", tab);
  await tab.goto(`${house.url}help`);
  await visit("help", tab);
  await tab.goto(`${house.url}claim`);
  await visit("claim", tab);
  await claimPage(tab).unknown.click();
  await visit("claim-number-unknown", tab);
  await claimPage(tab).send({ ...person, birthdate: "12-13-41" });
  await claimPage(tab).alert.waitFor();
  await visit("claim-refused", tab);
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  await visit("claim-password", tab);
  await claimPasswordPage(tab).send("short");
  await claimPasswordPage(tab).alert.waitFor();
  await visit("claim-password-refused", tab);
  await claimPasswordPage(tab).suggest.click();
  await tab.locator("#suggestion-hint").waitFor();
  await visit("claim-password-suggested", tab);
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
  await visit("claim-questions", tab);
  await claimQuestionsPage(tab).send(["Teddy", "ab"]);
  await claimQuestionsPage(tab).alert.waitFor();
  await visit("claim-questions-refused", tab);
  await claimQuestionsPage(tab).send();
  await logInPage(tab).heading.waitFor();
  await visit("login-after-claim", tab);
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
  await visit("landing", tab);
  await header(tab, fullName(person)).open();
  await visit("menu", tab);
  await tab.keyboard.press("Escape");
  const behind = {
    downloads: `o/${CONTOSO.id}/downloads`,
    app: `o/${CONTOSO.id}/apps/cloud-studio`,
    projects: `o/${CONTOSO.id}/apps/cloud-studio/projects`,
    project: `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=runs`,
    note: `o/${CONTOSO.id}/apps/cloud-studio/projects/7?tab=settings`,
    account: "account",
    password: "account/password",
    questions: "account/questions",
    sessions: "account/sessions",
    "recovery-codes": "account/recovery-codes",
    "staff-not-permitted": "staff",
    "not-found": "no/such/page",
    "not-permitted": "o/99999/",
  };
  for (const [name, path] of Object.entries(behind)) {
    await tab.goto(`${house.url}${path}`);
    await visit(name, tab);
  }
  await tab.goto(`${house.url}account/recovery-codes`);
  await codesPage(tab).make.click();
  await codesPage(tab).codes.first().waitFor();
  await visit("recovery-codes-shown", tab);
  const [code = ""] = await codesPage(tab).codes.allInnerTexts();
  const { tab: other } = await house.loggedIn(person);
  await tab.goto(`${house.url}account/sessions`);
  await sessionsPage(tab).endOne.waitFor();
  await visit("sessions-two", tab);
  await other.goto(`${house.url}recover`);
  await visit("recover", other);
  await recoverPage(other).send(person.login_id, "0000 0000 0000 0000");
  await recoverPage(other).alert.waitFor();
  await visit("recover-refused", other);
  await recoverPage(other).send(person.login_id, code);
  await recoverQuestionsPage(other).heading.waitFor();
  await visit("recover-questions", other);
  await recoverQuestionsPage(other).send(["Teddy", "Nothing"]);
  await recoverQuestionsPage(other).alert.waitFor();
  await visit("recover-questions-refused", other);
  await recoverQuestionsPage(other).send();
  await recoverPasswordPage(other).heading.waitFor();
  await visit("recover-password", other);
  await other.close();
  await house.advance(16 * 60_000);
  await tab.goto(`${house.url}account/questions`);
  await visit("questions-with-password", tab);
  await tab.goto(`${house.url}account/sessions`);
  await visit("sessions-with-password", tab);
  await tab.goto(`${house.url}account/password`);
  await passwordPage(tab).send("not the current one", "short");
  await passwordPage(tab).alert.waitFor();
  await visit("password-refused", tab);
  await house.advance(4 * HOUR - 4 * 60_000);
  await warning(tab).dialog.waitFor();
  await visit("warning", tab);
  await house.advance(5 * 60_000);
  await logInPage(tab).heading.waitFor();
  await visit("login-after-inactivity", tab);
}

/** What the console may tell of on this way: refused forms, pages that are not there, the end. */
export const TOUR_REFUSALS = [401, 403, 404, 422];
