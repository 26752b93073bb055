// @ts-check
/**
 * What only a browser can do for the portal. Every page works without this file.
 *
 * The server decides; this script only looks, warns and goes where it is told. Times are compared,
 * timers are hints: a laptop that slept is judged at once. What is reported to the server are events
 * this tab saw itself or heard of from another tab of the same session, never a value read from
 * storage.
 */
(() => {
  "use strict";

  /**
   * Whose page this is: the portal's, or one of the host's that has our header.
   * @typedef {object} Place
   * @property {string} family the public name of the session's family
   * @property {DOMStringMap} dataset
   * @property {Document | ShadowRoot} root where header and warning are
   * @property {string} below what of a path is not part of a location
   * @property {string[]} once words of a query that are said once
   */

  /** Where a tab keeps what its last form asked for. */
  const ASKED = "narthex.asked";
  /** So long a form that was sent, or a change of the password, may be on its way; milliseconds. */
  const ON_ITS_WAY = 10_000;

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (script?.hasAttribute("data-portal")) ownPage();
  else hostPage();

  function ownPage() {
    passwordToggles();
    menus(document);
    sentOnce(document);
    printing();
    const meta = /** @type {HTMLMetaElement | null} */ (
      document.querySelector('meta[name="narthex-family"]')
    );
    const login = /** @type {HTMLFormElement | null} */ (document.getElementById("login-form"));
    if (meta) {
      const { content: family, dataset } = meta;
      const below = dataset.base ?? "";
      session({ family, dataset, root: document, below, once: ["lang", "notice", "retry", "suggest"] });
    } else if (login) {
      const family = askedFor("logout");
      if (family && typeof BroadcastChannel === "function") {
        const channel = new BroadcastChannel(`narthex.${family}`);
        channel.postMessage({ type: "ended", reason: "log_out" });
        channel.close();
      }
      waiting(login);
    }
  }

  // ---- What the last form of this tab asked for: where the server streams no events, the page that
  // comes next tells the other tabs that it has come true. They ask the server before they believe it.

  /** What the form asks for, if it is one of these. @param {HTMLFormElement} form @param {string} family */
  function rememberAsked(form, family) {
    const { pathname } = new URL(form.getAttribute("action") ?? "", location.href);
    const what = /\/(logout|account\/password)$/.exec(pathname)?.[1];
    try {
      if (what) sessionStorage.setItem(ASKED, `${what} ${family}`);
      else sessionStorage.removeItem(ASKED);
    } catch {
      // Storage may be off: the other tabs ask every half minute.
    }
    return what;
  }

  /** Whose family, if `what` is what was asked for; forgotten with this. @param {string} what */
  function askedFor(what) {
    try {
      const [asked, family] = sessionStorage.getItem(ASKED)?.split(" ") ?? [];
      sessionStorage.removeItem(ASKED);
      return asked === what ? family : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * A page of the host: `<narthex-header>` is filled by the server, or by this script. Nothing of the
   * host's page is touched.
   */
  function hostPage() {
    if (customElements.get("narthex-header")) return;
    const base = script ? new URL("..", script.src).pathname.replace(/\/$/, "") : "";
    let begun = false;

    class Header extends HTMLElement {
      connectedCallback() {
        if (begun) return;
        begun = true;
        if (this.querySelector("template")) this.take(this);
        if (this.shadowRoot) this.begin();
        else void this.load();
      }

      /**
       * What a browser does that knows `shadowrootmode`.
       * @param {Element} from
       */
      take(from) {
        const template = from.querySelector("template");
        if (!template || this.shadowRoot) return;
        this.attachShadow({ mode: "open" }).append(template.content);
        for (const [name, value] of Object.entries({ .../** @type {HTMLElement} */ (from).dataset })) {
          this.dataset[name] = value ?? "";
        }
        if (from !== this) this.lang = /** @type {HTMLElement} */ (from).lang;
        else template.remove();
      }

      /** Asks the server for what belongs here. */
      async load() {
        const here = encodeURIComponent(location.pathname + location.search);
        // In the language of the page, where it is one of ours.
        const nearest = /** @type {HTMLElement | null} */ (this.closest("[lang]"));
        const spoken = encodeURIComponent(nearest?.lang.split("-")[0] ?? "");
        for (let tries = 0; tries < 20; tries += 1) {
          const url = `${this.dataset.base ?? base}/header?location=${here}&lang=${spoken}`;
          const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
          if (answer?.ok) {
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const from = page.querySelector("narthex-header");
            if (from) this.take(from);
            return this.begin();
          }
          // Another tab is about to have the new token, or the server is not there.
          await new Promise((wake) => setTimeout(wake, answer?.status === 409 ? 250 : 2000));
        }
      }

      begin() {
        const root = this.shadowRoot;
        const { family, login } = this.dataset;
        if (!root) return;
        menus(root);
        sentOnce(root);
        if (family) {
          session({ family, dataset: this.dataset, root, below: "", once: ["narthex_retry"] });
        } else if (this.hasAttribute("required") && login) {
          location.replace(login);
        }
      }
    }
    customElements.define("narthex-header", Header);
  }

  /**
   * A log-in page that waits while another tab of this browser logs in goes on by itself: the server
   * leads from here to the place this page was left for.
   * @param {HTMLFormElement} form
   */
  function waiting(form) {
    const since = Date.now();
    const isMark = (/** @type {string | null} */ key) => key?.startsWith("narthex.activity.") ?? false;
    // Not a reload: this page may be the answer to a form, which would be sent again.
    const onward = () => {
      const url = new URL(form.action);
      for (const name of ["return_to", "for"]) {
        const value = new FormData(form).get(name);
        if (typeof value === "string" && value) url.searchParams.set(name, value);
      }
      return url;
    };
    let asking = false;
    const ask = async () => {
      if (asking) return;
      asking = true;
      try {
        const answer = await fetch(new URL("api/v1/session", form.action), { cache: "no-store" });
        if (answer.ok) location.replace(onward());
      } catch {
        // Looked at again when the tab is.
      } finally {
        asking = false;
      }
    };
    window.addEventListener("storage", (event) => {
      if (isMark(event.key) && event.newValue) void ask();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      try {
        const keys = Object.keys(localStorage).filter(isMark);
        if (keys.some((key) => Number(localStorage.getItem(key)) > since)) void ask();
      } catch {
        // Storage may be off; the person logs in here then.
      }
    });
  }

  /** A button beside each password field that shows what was typed. */
  function passwordToggles() {
    const words = document.body.dataset;
    for (const box of document.querySelectorAll(".secret")) {
      const input = /** @type {HTMLInputElement | null} */ (box.querySelector("input"));
      if (!input) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "show";
      const set = (/** @type {boolean} */ shown) => {
        input.type = shown ? "text" : "password";
        button.textContent = (shown ? words.hide : words.show) ?? "";
        button.setAttribute("aria-label", (shown ? words.hidePassword : words.showPassword) ?? "");
        button.setAttribute("aria-controls", input.id);
      };
      // A suggestion is shown: whose it is must read it.
      set(input.type === "text");
      button.addEventListener("click", () => set(input.type === "password"));
      // So that the browser sees a password, and no text field, when the form goes.
      input.form?.addEventListener("submit", () => set(false));
      box.append(button);
    }
  }

  /** A button that prints the page, where there is a script to do it. */
  function printing() {
    for (const button of document.querySelectorAll("button[data-print]")) {
      button.removeAttribute("hidden");
      button.addEventListener("click", () => window.print());
    }
  }

  /**
   * A form goes once: a second click would cancel the answer to the first, and with it the new cookie
   * that a changed password brings.
   * @param {Document | ShadowRoot} root
   */
  function sentOnce(root) {
    /** @type {WeakMap<HTMLFormElement, number>} */
    let sent = new WeakMap();
    root.addEventListener("submit", (event) => {
      const form = /** @type {HTMLFormElement} */ (event.target);
      if (form.method !== "post") return;
      const before = sent.get(form);
      if (before !== undefined && Date.now() - before < ON_ITS_WAY) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      sent.set(form, Date.now());
    }, { capture: true });
    window.addEventListener("pageshow", () => {
      sent = new WeakMap();
    });
  }

  /**
   * Menus close with Escape and by a click elsewhere.
   * @param {Document | ShadowRoot} root
   */
  function menus(root) {
    const open = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (
      root.querySelectorAll("details.menu[open]")
    );
    document.addEventListener("click", (event) => {
      for (const menu of open()) {
        if (!event.composedPath().includes(menu)) menu.open = false;
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const menu of open()) {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      }
    });
  }

  /**
   * Looks after the session this page was rendered for.
   * @param {Place} config
   */
  function session(config) {
    const family = config.family;
    const base = config.dataset.base ?? "";
    const inactivity = Number(config.dataset.inactivityMs);
    const MINUTE = 60_000;
    /** So early the first and the last warning come; sooner where the whole limit is short. */
    const FIRST = Math.min(5 * MINUTE, inactivity / 4);
    const LAST = Math.min(MINUTE, inactivity / 20);
    const REPORT_EVERY = Math.min(MINUTE, inactivity / 8);
    const MARK = `narthex.activity.${family}`;

    /** When the session ends whatever anybody does. */
    const whole = Date.now() + Number(config.dataset.wholeMs ?? Infinity);
    /** When the session ends if nobody does anything, as the server last said, by this clock. */
    let ends = Date.now() + Number(config.dataset.expiresInMs);
    let lastMark = 0;
    let lastReport = 0;
    /** The latest activity that the server has not been told of; 0: none. */
    let untold = 0;
    let leading = false;
    let leaving = false;
    let submitting = false;
    /** A change of the password has led here. */
    const led = new URLSearchParams(location.search).get("notice") === "password_changed";
    /** Why the session ended, as another tab heard it; only the log-in page's words depend on it. */
    let heardReason = /** @type {string | undefined} */ (undefined);
    let asking = /** @type {Promise<void> | null} */ (null);
    let again = false;

    const channel =
      typeof BroadcastChannel === "function" ? new BroadcastChannel(`narthex.${family}`) : null;
    /** @param {{type: string, at?: number, reason?: string}} message */
    const tell = (message) => channel?.postMessage(message);

    // ---- The mark: when somebody was last active in any tab. A time, nothing secret.

    /** The mark, or 0 where there is none, it is no time, or it lies in the future. */
    function readMark() {
      try {
        const mark = Number(localStorage.getItem(MARK));
        return Number.isFinite(mark) && mark > 0 && mark <= Date.now() + 1000 ? mark : 0;
      } catch {
        return 0;
      }
    }

    /** @param {number} at */
    function writeMark(at) {
      lastMark = at;
      try {
        localStorage.setItem(MARK, String(at));
      } catch {
        // Storage may be off; the server knows anyway.
      }
    }

    function startMark() {
      try {
        for (const key of Object.keys(localStorage)) {
          if (key.startsWith("narthex.activity.") && key !== MARK) localStorage.removeItem(key);
        }
      } catch {
        return;
      }
      // What the server has just said about the last activity.
      writeMark(Math.max(readMark(), Math.min(Date.now(), ends - inactivity)));
    }

    // ---- Activity: events a person caused.

    /** @param {Event} event */
    function onActivity(event) {
      if (!event.isTrusted || leaving) return;
      const now = Date.now();
      const warned = dialog.isOpen() && !dialog.isFinal();
      if (now - lastMark < 1000 && !warned) return;
      if (now >= ends) {
        // Too late by what we know: ask before anything is said to be alive.
        judge();
        return;
      }
      writeMark(now);
      tell({ type: "active", at: now });
      untold = Math.max(untold, now);
      if (warned) {
        // One key or click keeps every tab: this one says so at once.
        void report(true).then(ask);
      } else {
        maybeReport();
      }
    }

    function maybeReport() {
      if (untold && leading && Date.now() - lastReport >= REPORT_EVERY) {
        void report(false);
      }
    }

    /**
     * Tells the server how long ago somebody was active.
     * @param {boolean} atOnce
     */
    async function report(atOnce) {
      if (!untold) return;
      const at = untold;
      untold = 0;
      lastReport = Date.now();
      const sent = await send("/session/activity", {
        method: "POST",
        keepalive: true,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ idle_ms: Math.max(0, Date.now() - at) }),
      });
      if (sent?.status === 204) {
        ends = Math.max(ends, Math.min(at + inactivity, whole));
        tell({ type: "reported", at });
        look();
      } else if (sent) {
        await settle(sent);
      } else if (atOnce) {
        untold = Math.max(untold, at);
      }
    }

    // ---- Asking the server.

    /**
     * @param {string} path
     * @param {RequestInit} [init]
     * @returns {Promise<Response | null>} null: no answer
     */
    async function send(path, init = {}) {
      try {
        return await fetch(`${base}/api/v1${path}`, {
          cache: "no-store",
          credentials: "same-origin",
          ...init,
          headers: { ...init.headers, "narthex-family": family },
        });
      } catch {
        return null;
      }
    }

    /**
     * Asks how long is left, and goes where the answer leads. One question at a time; who asks while one
     * is on its way has heard something that its answer may be older than, so it is asked once more.
     */
    function ask() {
      if (asking) {
        again = true;
        return asking;
      }
      asking = send("/session")
        .then(async (answer) => {
          if (answer) await settle(answer);
          else look();
        })
        .finally(() => {
          asking = null;
          if (!again) return;
          again = false;
          if (!leaving) void ask();
        });
      return asking;
    }

    /** @param {Response} answer */
    async function settle(answer) {
      if (answer.ok) {
        if (answer.status === 200) {
          const said = await answer.json();
          ends = Date.now() + Number(said.expires_in_ms);
          if (readMark() < ends - inactivity) writeMark(Math.min(Date.now(), ends - inactivity));
          veil(false);
          look();
        }
        return;
      }
      const problem = await answer.json().catch(() => ({}));
      if (isOnItsWay(problem)) {
        await renewed();
      } else if (answer.status === 401) {
        const reason = problem.reason ?? heardReason;
        tell({ type: "ended", reason });
        toLogin(reason);
      } else if (problem.code === "family_mismatch") {
        // The same person: the server leads back to this place. Another one: to the landing page.
        toLogin("logged_in_again");
      }
    }

    /**
     * Whether this browser is about to have another token: the page that asked for it has not had its
     * answer yet. To go anywhere now would be to go with the old one.
     * @param {{code?: string, reason?: string}} problem
     */
    function isOnItsWay(problem) {
      return problem.code === "token_replaced" || problem.reason === "logged_in_again";
    }

    /** Waits until this browser has the new token, at most five seconds. */
    async function renewed() {
      for (let tries = 0; tries < 20 && !leaving; tries += 1) {
        const answer = await send("/session");
        if (answer?.status === 200) return true;
        const problem = await answer?.json().catch(() => ({}));
        if (answer?.status === 409) {
          toLogin("logged_in_again");
          return false;
        }
        if (answer?.status === 401 && !isOnItsWay(problem)) break;
        await new Promise((wake) => setTimeout(wake, 250));
      }
      toLogin();
      return false;
    }

    // ---- Where to go.

    /** @param {string} url */
    function leave(url) {
      if (leaving) return;
      leaving = true;
      dialog.close();
      location.replace(url);
    }

    /** @param {string} [reason] */
    function toLogin(reason) {
      const url = new URL(config.dataset.login ?? `${base}/login`, location.href);
      const there = url.searchParams.get("return_to");
      if (there) {
        const query = new URLSearchParams(location.search);
        for (const word of config.once) query.delete(word);
        const rest = query.toString();
        const path = location.pathname.slice(config.below.length);
        const here = new URL(there, location.origin);
        if (here.pathname !== path) {
          // The page moved without loading: the tag was made for where it was.
          url.searchParams.delete("for");
          url.searchParams.set("return_to", path + (rest ? `?${rest}` : "") + location.hash);
        } else {
          url.searchParams.set("return_to", there + location.hash);
        }
      }
      if (reason && /^[a-z_]+$/.test(reason)) url.searchParams.set("reason", reason);
      leave(url.href);
    }

    /** The password was changed in a tab of this browser: all of them go to their landing page (S9). */
    async function onPasswordChanged() {
      // The tab that changed it is on its way already, or there: more than one tells of one change.
      if (submitting || leaving || (led && performance.now() < ON_ITS_WAY)) return;
      if (await renewed()) leave(`${config.dataset.landing}?notice=password_changed`);
    }

    // ---- Judging: by comparing times.

    /** Shows, changes or closes the warning, as the time left asks for. */
    function look() {
      if (leaving) return;
      const left = ends - Date.now();
      if (left > FIRST) dialog.close();
      else if (left > 0 && document.visibilityState === "visible") {
        dialog.open(left <= LAST, ends >= whole - 1000);
      }
    }

    /** Is anything due? Before a warning and before the end the server is asked: it decides. */
    function judge() {
      if (leaving) return;
      const now = Date.now();
      const left = ends - now;
      const mark = readMark();
      const stale = !mark || now - mark >= inactivity;
      if (left <= FIRST || stale) {
        // 4: the mark is lost or too old, which is asked about at once and once.
        const level = left <= 0 ? 3 : left <= LAST ? 2 : left <= FIRST ? 1 : 4;
        if (level !== judge.level || left <= 0 || now - judge.at > REPORT_EVERY) {
          judge.level = level;
          judge.at = now;
          if (left <= 0) veil(true);
          // The answer is looked at when it is there.
          if (untold) void report(true).then(ask);
          else void ask();
          return;
        }
      } else {
        judge.level = 0;
      }
      look();
      maybeReport();
    }
    judge.level = 0;
    judge.at = 0;

    /**
     * Until the server has said so, nothing of the page is shown. The host's pages have no style of
     * ours, and what a script sets is not for a content policy to refuse.
     * @param {boolean} drawn
     */
    function veil(drawn) {
      veil.drawn = drawn;
      const page = document.documentElement;
      page.classList.toggle("judging", drawn);
      if (config.root === document) return;
      for (const [name, value] of Object.entries({ visibility: "hidden", opacity: "0" })) {
        if (drawn) page.style.setProperty(name, value, "important");
        else page.style.removeProperty(name);
      }
    }
    veil.drawn = false;

    // ---- The warning.

    const dialog = warning();

    function warning() {
      const element = /** @type {HTMLDialogElement | null} */ (
        config.root.getElementById("narthex-warning")
      );
      const text = config.root.getElementById("narthex-warning-text");
      const stay = config.root.getElementById("narthex-warning-stay");
      const title = document.title;
      let shown = "";
      /** The last warning that was read of an end that nothing puts off. */
      let read = "";
      const close = () => {
        if (!shown) return;
        shown = "";
        document.title = title;
        // A dialog gives the focus back to where it was.
        element?.close();
      };
      element?.addEventListener("cancel", (event) => event.preventDefault());
      stay?.addEventListener("click", () => {
        if (!shown.startsWith("whole-")) return;
        read = shown;
        close();
      });
      return {
        isOpen: () => shown !== "",
        isFinal: () => shown.startsWith("whole-"),
        close,
        /** @param {boolean} last @param {boolean} final nothing puts this end off */
        open(last, final) {
          const level = `${final ? "whole-" : ""}${last ? "one" : "five"}`;
          if (!element || !text || shown === level || read === level) return;
          if (shown) element.close();
          const minutes = (last ? element.dataset.one : element.dataset.five) ?? "";
          const said = final ? element.dataset.wholeText : element.dataset.text;
          text.textContent = (said ?? "").replace("{minutes}", minutes);
          if (stay) stay.textContent = (final ? stay.dataset.whole : stay.dataset.stay) ?? "";
          document.title = `${element.dataset.title} · ${title}`;
          element.dataset.level = level;
          shown = level;
          element.showModal();
        },
      };
    }

    // ---- One tab leads: it holds the stream of events and reports activity.

    function lead() {
      if (!navigator.locks || !channel) {
        leading = true;
        listen();
        return;
      }
      void navigator.locks.request(`narthex.lead.${family}`, () => {
        leading = true;
        listen();
        maybeReport();
        // Until this tab is gone.
        return new Promise(() => {});
      });
    }

    let wait = 1000;

    function listen() {
      if (leaving) return;
      // Something may have happened between two leaders.
      void ask();
      if (typeof EventSource !== "function") {
        poll(30_000);
        return;
      }
      const events = new EventSource(`${base}/api/v1/events`);
      let heard = false;
      events.addEventListener("hello", () => {
        heard = true;
        wait = 1000;
        void ask();
      });
      events.addEventListener("password_changed", () => {
        tell({ type: "password_changed" });
        void onPasswordChanged();
      });
      events.addEventListener("ended", (event) => {
        const { reason } = JSON.parse(/** @type {MessageEvent} */ (event).data);
        tell({ type: "ended", reason });
        onEnded(reason);
      });
      events.addEventListener("error", () => {
        if (events.readyState !== EventSource.CLOSED || leaving) return;
        // Refused, or a host that does not stream.
        void ask();
        if (heard) {
          setTimeout(listen, wait);
          wait = Math.min(wait * 2, 5 * MINUTE);
        } else {
          poll(30_000);
        }
      });
    }

    /** @param {number} pause */
    function poll(pause) {
      setTimeout(() => {
        if (leaving) return;
        if (document.visibilityState === "visible" || leading) void ask();
        poll(Math.min(pause * 1.5, 5 * MINUTE));
      }, pause);
    }

    /** @param {string} [reason] */
    function onEnded(reason) {
      // The tab that logs out is on its way already.
      if (submitting || leaving) return;
      if (isOnItsWay({ reason })) void renewed();
      else toLogin(reason);
    }

    channel?.addEventListener("message", (event) => {
      const { type, at, reason } = event.data ?? {};
      if (type === "active" && Number.isFinite(at) && at <= Date.now() + 1000) {
        untold = Math.max(untold, at);
        maybeReport();
      } else if (type === "reported" && Number.isFinite(at) && at <= Date.now() + 1000) {
        if (untold <= at) untold = 0;
        lastReport = Date.now();
        // Where a warning stands, the server says whether it may go.
        if (dialog.isOpen()) void ask();
        else ends = Math.max(ends, Math.min(at + inactivity, whole));
      } else if (type === "password_changed") {
        void onPasswordChanged();
      } else if (type === "ended") {
        // Heard, not believed: the server says whether it is so.
        heardReason = typeof reason === "string" ? reason : undefined;
        if (!submitting) void ask();
      }
    });

    // ---- What makes us look.

    const ACTIVITY = [
      "pointerdown", "click", "keydown", "input", "wheel", "touchstart", "touchmove", "selectionchange",
    ];
    for (const kind of ACTIVITY) {
      document.addEventListener(kind, onActivity, { capture: true, passive: true });
    }
    window.addEventListener("focus", (event) => {
      judge();
      if (Date.now() < ends && !dialog.isOpen()) onActivity(event);
    });
    document.addEventListener("visibilitychange", judge);
    window.addEventListener("storage", (event) => {
      if (event.key === MARK || event.key === null) judge();
    });
    window.addEventListener("online", () => void ask());
    /** @param {Event} event */
    const onSubmit = (event) => {
      const form = /** @type {HTMLFormElement} */ (event.target);
      // A page that sends its form by a script stays where it is.
      if (form.method !== "post" || event.defaultPrevented) return;
      // Once the cookie is gone, the server cannot say why any more.
      if (rememberAsked(form, family) === "logout") tell({ type: "ended", reason: "log_out" });
      submitting = true;
      setTimeout(() => {
        submitting = false;
      }, ON_ITS_WAY);
    };
    // Of what is in a shadow tree the document hears no submit event.
    for (const root of new Set([document, config.root])) root.addEventListener("submit", onSubmit);
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      // Back from the browser's memory: nothing is shown before the server said that it may be.
      leaving = false;
      submitting = false;
      veil(true);
      void ask().then(() => {
        if (veil.drawn && !leaving) location.reload();
      });
    });
    window.addEventListener("pagehide", () => {
      if (untold && leading) void report(false);
    });

    startMark();
    setInterval(judge, Math.max(250, Math.min(5000, inactivity / 40)));
    lead();
    judge();
    const changed = askedFor("account/password") === family;
    if (changed && led) tell({ type: "password_changed" });
  }
})();
