import { paper } from "depthwise/cost";

globalThis.ask = () => paper().summary;
