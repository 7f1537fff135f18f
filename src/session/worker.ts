/** The script of the workers of a session's threads. */

import { openPort, runThread, type ThreadTask } from "./thread.ts";

openPort((data, port) => runThread(data as ThreadTask, port));
