/** Who is signed in, if anybody. */

import { ApiError, api, whenSignedOut, type Session } from "./api";

const ROLES = ["viewer", "operator", "admin"];

class SessionState {
  current = $state<Session | null>(null);
  checked = $state(false);

  /** Ask the cloud who we are; an unreachable cloud is thrown, "nobody" is not. */
  async check(): Promise<void> {
    try {
      this.current = await api.session();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.current = null;
    }
    this.checked = true;
  }

  /** May this person do what needs `role`? The cloud decides; this only spares a refusal. */
  allows(role: "operator" | "admin"): boolean {
    const mine = ROLES.indexOf(this.current?.role ?? "");
    return mine === -1 || mine >= ROLES.indexOf(role);
  }

  async signOut(): Promise<void> {
    await api.signOut();
    this.current = null;
  }
}

export const session = new SessionState();

whenSignedOut(() => {
  session.current = null;
});
