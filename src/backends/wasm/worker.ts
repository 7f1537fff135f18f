/** The script of the workers of a session's threads. */

import { THREAD_SCRIPT } from "./start.ts";
import { isThreadTask, openPort, runThread } from "./thread.ts";

openPort(THREAD_SCRIPT, (message, port) => {
  if (isThreadTask(message)) runThread(message, port);
});
