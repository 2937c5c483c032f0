/** What went wrong, and what a screen reader says. */

import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Fault } from "../api/types";
import { useCell } from "../state/cell";
import { listen } from "../state/events";
import { learn, line, spoken, trouble, complain } from "../state/session";
import { IconButton } from "./controls";
import { Icon } from "./icon";

export function Notices() {
  const fault = useCell(trouble);
  const state = useCell(line);
  return (
    <>
      <div class="notices">
        {state === "lost" && (
          <div class="notice" role="status">
            <Icon name="alert" />
            <p>The studio does not answer. This page goes on as soon as it is back.</p>
          </div>
        )}
        <div role="alert">{fault && <Trouble fault={fault} />}</div>
      </div>
      <p class="unseen" role="status" aria-live="polite">{useCell(spoken)}</p>
    </>
  );
}

function Trouble({ fault }: { fault: Fault }) {
  return (
    <div class="notice bad">
      <Icon name="alert" />
      <FaultWords fault={fault} />
      <IconButton icon="close" label="Put this message away" onClick={() => (trouble.value = undefined)} />
    </div>
  );
}

export function FaultWords({ fault }: { fault: Fault }) {
  return (
    <p>
      <strong>{fault.message}</strong> {fault.remedy}
    </p>
  );
}

/** Asks for the token of a studio that others could reach too. */
export function Lock() {
  const [token, setToken] = useState("");
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await api.signIn(token.trim());
      trouble.value = undefined;
      line.value = "joining";
      await learn();
      listen();
    } catch (error) {
      complain(error);
    }
  };
  return (
    <form class="lock" onSubmit={(event) => void enter(event)}>
      <h2>This studio wants its token</h2>
      <p class="note">It was printed where the studio was started.</p>
      <div class="field">
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
      </div>
      <button class="button primary" type="submit" disabled={token.trim() === ""}>Enter</button>
    </form>
  );
}
