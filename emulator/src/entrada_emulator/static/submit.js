// Sends the one form of the page; where scripts are off, its button does.
document.querySelector("form[data-submit]").submit();
