import { useLanguage } from "../language.tsx";

export default function View() {
  const { words } = useLanguage();
  return <p>{words.loading}</p>;
}
