// What scrolls can be reached with the keyboard, each button to copy has a name of its own for a screen reader, and an
// option is not broken at its hyphens, as browsers would; a longer command is, so that no phone's page gets wider.
const UNBROKEN = 24;
const mend = () => {
  for (const each of document.querySelectorAll(".md-typeset :not(pre) > code:not([style])"))
    each.style.whiteSpace = each.textContent.length <= UNBROKEN ? "nowrap" : "normal";
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) each.tabIndex = 0;
  document.querySelectorAll(".md-code__nav:not([aria-label])").forEach(each => {
    const block = each.closest("[id]");
    each.setAttribute("aria-label", `Code ${block ? block.id.replace(/\D/g, "") : ""}`);
  });
};
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
