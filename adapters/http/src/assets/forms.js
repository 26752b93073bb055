// @ts-check
/**
 * Help while typing: what a new password still needs, a suggestion for one, and drafts that outlive a
 * log-out by inactivity. Every form works without this file; all words come from the page.
 */
(() => {
  "use strict";

  newPassword();
  void drafts();

  /**
   * Marks the stated requirements that are met. What is said of it is for who hears the page, when one
   * pauses or leaves the field; it takes no room, so that no button moves away under a click.
   */
  function newPassword() {
    const input = /** @type {HTMLInputElement | null} */ (
      document.querySelector("input[data-progress]")
    );
    if (!input) return;
    const { progress = "", signs = "", missing = "", met = "" } = input.dataset;
    const status = document.getElementById(progress);
    /** What can be judged here; the rest is the server's. */
    const rows = [...document.querySelectorAll("#requirements li")].flatMap((row) => {
      const judge = judgeOf(/** @type {HTMLElement} */ (row), signs);
      return judge ? [{ row, judge }] : [];
    });
    const PAUSE_MS = 1500;
    let pause = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
    const mark = () => {
      for (const { row, judge } of rows) {
        row.classList.toggle("met", input.value !== "" && judge(input.value));
      }
    };
    const say = () => {
      clearTimeout(pause);
      if (!status || input.value === "") return;
      const open = rows.filter(({ judge }) => !judge(input.value)).map(({ row }) => row.textContent);
      const text = open.length ? missing.replace("{list}", open.join("; ")) : met;
      // Written only if it changes: a status that is written again is read out again.
      if (status.textContent !== text) status.textContent = text;
    };
    input.addEventListener("input", () => {
      mark();
      clearTimeout(pause);
      pause = setTimeout(say, PAUSE_MS);
    });
    input.addEventListener("blur", say);
    mark();
    suggest(input, () => {
      mark();
      clearTimeout(pause);
    });
  }

  /**
   * @param {HTMLElement} row @param {string} signs
   * @returns {((text: string) => boolean) | undefined}
   */
  function judgeOf(row, signs) {
    switch (row.dataset.code) {
      case "minimum_length":
        return (text) => [...text.normalize("NFC")].length >= Number(row.dataset.least);
      case "upper_case":
        return (text) => /[A-Z]/.test(text);
      case "lower_case":
        return (text) => /[a-z]/.test(text);
      case "digit":
        return (text) => /[0-9]/.test(text);
      case "symbol":
        return (text) => [...text].some((c) => signs.includes(c));
      default:
        return undefined;
    }
  }

  /**
   * "Suggest one" without leaving the page. Where that does not work the link does.
   * @param {HTMLInputElement} input @param {() => void} changed
   */
  function suggest(input, changed) {
    const link = /** @type {HTMLAnchorElement | null} */ (document.getElementById("suggest"));
    if (!link) return;
    link.setAttribute("role", "button");
    link.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      link.click();
    });
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      const base = document.body.dataset.base ?? "";
      const answer = await fetch(`${base}/api/v1/password/requirements`, { cache: "no-store" })
        .catch(() => null);
      const said = answer?.ok ? await answer.json() : {};
      if (!said.suggestion) {
        location.assign(link.href);
        return;
      }
      input.value = said.suggestion;
      changed();
      const shown = input.type === "text";
      const toggle = input.parentElement?.querySelector("button");
      if (!shown) toggle?.click();
      const hint = document.getElementById("suggestion-hint");
      if (hint) hint.hidden = false;
      const status = document.getElementById(input.dataset.progress ?? "");
      if (status) status.textContent = `${said.suggestion}. ${hint?.textContent}`;
    });
  }

  /**
   * What somebody was typing when their session ended is there again after their next log-in: in this
   * tab, encrypted under a key that only pages of the same person are given.
   */
  async function drafts() {
    const PREFIX = "narthex.draft.";
    const DRAFTS_MAX = 20;
    const CHARACTERS_MAX = 16 * 1024;
    const SETTLED_MS = 250;

    /** @type {Storage} */
    let storage;
    try {
      storage = sessionStorage;
    } catch {
      return;
    }
    const kept = () => Object.keys(storage).filter((name) => name.startsWith(PREFIX));
    const forget = () => kept().forEach((name) => storage.removeItem(name));

    const query = new URLSearchParams(location.search);
    const meta = /** @type {HTMLMetaElement | null} */ (
      document.querySelector('meta[name="narthex-family"]')
    );
    // Who logs out wants nothing left; neither at the door nor in the tabs that were open.
    let over = false;
    document.getElementById("logout-form")?.addEventListener("submit", () => {
      // What is being encrypted at this moment is not kept either.
      over = true;
      forget();
    });
    if (query.get("notice") === "logged_out" || query.get("reason") === "log_out") forget();
    const secret = meta?.dataset.draftKey;
    if (!secret || !crypto.subtle) return;

    const key = await crypto.subtle.importKey("raw", fromBase64(secret), "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    for (const word of ["lang", "notice", "retry", "suggest"]) query.delete(word);
    const page = `${location.pathname}?${query}`;
    const saved = new URLSearchParams(location.search).get("notice") === "saved";
    const fields = [...document.querySelectorAll("[data-narthex-draft]")].filter(isText);
    const found = await open(key);

    for (const field of fields) {
      const name = `${PREFIX}${page}#${field.name || field.id}`;
      const text = found.get(name);
      if (text === undefined) {
        // Nothing was kept.
      } else if (saved || text === field.defaultValue) {
        storage.removeItem(name);
      } else if (field.value === field.defaultValue) {
        field.value = text;
        const note = document.createElement("p");
        note.className = "hint";
        note.setAttribute("role", "status");
        field.after(note);
        note.textContent = document.body.dataset.draftKept ?? "";
      }
      let settled = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
      let turn = Promise.resolve();
      const keep = () => (turn = turn.then(() => store(key, name, field)).catch(() => {}));
      field.addEventListener("input", () => {
        clearTimeout(settled);
        settled = setTimeout(keep, SETTLED_MS);
      });
      field.addEventListener("change", keep);
    }

    /** Opens every draft of this tab; what does not open is another person's, and goes. */
    async function open(/** @type {CryptoKey} */ key) {
      /** @type {Map<string, string>} */
      const texts = new Map();
      for (const name of kept()) {
        try {
          const [iv = "", data = ""] = (storage.getItem(name) ?? "").split(".");
          const text = await crypto.subtle.decrypt(
            { name: "AES-GCM", iv: fromBase64(iv), additionalData: bytes(name) },
            key,
            fromBase64(data),
          );
          texts.set(name, new TextDecoder().decode(text));
        } catch {
          storage.removeItem(name);
        }
      }
      return texts;
    }

    /**
     * @param {CryptoKey} key @param {string} name
     * @param {HTMLInputElement | HTMLTextAreaElement} field
     */
    async function store(key, name, field) {
      const text = field.value;
      const full = !storage.getItem(name) && kept().length >= DRAFTS_MAX;
      if (text === field.defaultValue || text.length > CHARACTERS_MAX || full) {
        storage.removeItem(name);
        return;
      }
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const data = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv, additionalData: bytes(name) },
        key,
        bytes(text),
      );
      if (!over) storage.setItem(name, `${toBase64(iv)}.${toBase64(new Uint8Array(data))}`);
    }
  }

  /**
   * Texts only: no secret, no date, nothing a browser fills in about a person's birth or money.
   * @param {Element} field
   * @returns {field is HTMLInputElement | HTMLTextAreaElement}
   */
  function isText(field) {
    const filled = field.getAttribute("autocomplete") ?? "";
    if (/bday|password|one-time-code|cc-/.test(filled)) return false;
    if (field instanceof HTMLTextAreaElement) return true;
    return field instanceof HTMLInputElement && ["text", "email", "tel", "search"].includes(field.type);
  }

  /** @param {string} text */
  function bytes(text) {
    return new TextEncoder().encode(text);
  }

  /** @param {string} text base64url */
  function fromBase64(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  /** @param {Uint8Array} data */
  function toBase64(data) {
    const plain = btoa(String.fromCharCode(...data));
    return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
})();
