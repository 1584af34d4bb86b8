// Passkeys are given to scripts alone: this one asks the device and puts its answer into the form of the page.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytes(options.challenge);
    const adding = form.dataset.passkey === "add";
    if (adding) {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
    }
    form.querySelector("button").disabled = !window.PublicKeyCredential;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      const wrong = form.querySelector("[role=alert]");
      wrong.hidden = true;
      try {
        const made = adding
          ? await navigator.credentials.create({ publicKey: options })
          : await navigator.credentials.get({ publicKey: options });
        const given = made.response;
        const response = { clientDataJSON: text(given.clientDataJSON) };
        if (adding) {
          response.attestationObject = text(given.attestationObject);
        } else {
          response.authenticatorData = text(given.authenticatorData);
          response.signature = text(given.signature);
          if (given.userHandle) response.userHandle = text(given.userHandle);
        }
        const id = text(made.rawId);
        form.elements.answer.value = JSON.stringify({ id, rawId: id, type: made.type, response });
        form.requestSubmit();
      } catch {
        wrong.hidden = false;
      }
    });
  }
})();
