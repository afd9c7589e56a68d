/** Light, dark, or as the system says; the choice is remembered in this browser. */

export type Theme = "system" | "light" | "dark";

const KEY = "tidegate.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  const set = document.documentElement.dataset.theme;
  return set === "light" || set === "dark" ? set : "system";
}

class ThemeChoice {
  choice = $state<Theme>(remembered());
  #systemDark = $state(systemDark.matches);
  dark = $derived(this.choice === "system" ? this.#systemDark : this.choice === "dark");

  constructor() {
    systemDark.addEventListener("change", (event) => (this.#systemDark = event.matches));
  }

  toggle(): void {
    this.choice = this.dark ? "light" : "dark";
    document.documentElement.dataset.theme = this.choice;
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // Storage is closed to us: the choice lasts until the page is closed.
    }
  }
}

export const theme = new ThemeChoice();
