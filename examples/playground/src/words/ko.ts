/** 페이지의 한국어 문구. What the page says, in Korean; no particle stands right behind what is put in. */

import type { Words } from "./en.ts";

export const ko: Words = {
  name: "한국어",
  title: "깊이별 분리 합성곱을 한 단계씩",
  subtitle: "MobileNet이 어떻게 곱셈을 8분의 1로 줄이는지, 실제 숫자로 브라우저에서 확인합니다.",
  language: "언어",
  sections: "단원",
  views: {
    why: "왜 계산량이 적을까",
    widths: "α와 ρ",
    speed: "왜 9배 빨라지지 않을까",
    try: "직접 해 보기",
    teach: "가르쳐 보기",
  },
  percent: (value) => `${value}%`,
  loading: "불러오는 중 …",
  source:
    "이 페이지의 모든 계산은 라이브러리 depthwise로 브라우저 안에서 이루어지며, 어떤 데이터도 밖으로 나가지 않습니다.",
  close: "닫기",
  retry: "다시 시도",
  faults: {
    UNKNOWN: "실패했습니다.",
    WORKER_LOST: "계산하던 작업이 멈추었습니다. 다시 요청하면 새로 시작하며, 가르친 것은 사라집니다.",
    NOT_OPEN: "열린 신경망이 없습니다. 하나를 고르세요.",
    PART_MISSING: "이 페이지의 일부를 불러오지 못했습니다. 연결을 확인하세요.",
    CAMERA_REFUSED: "카메라 사용이 거부되었습니다. 브라우저 설정에서 이 페이지에 허용하거나 파일을 고르세요.",
    CAMERA_MISSING: "이 페이지에서 쓸 수 있는 카메라가 없습니다. 파일을 고르세요.",
    IMAGE_UNREADABLE: "여기서 읽을 수 있는 사진이 아닙니다.",
    IMAGE_TOO_LARGE: "사진이 너무 큽니다.",
    FILE_EMPTY: "빈 파일입니다.",
    FILE_CORRUPT: "손상된 파일입니다.",
    FILE_TRUNCATED: "파일이 중간에서 끊겨 있습니다.",
    FORMAT_UNKNOWN: "알려진 형식의 가중치 파일이 아닙니다.",
    ARCHITECTURE_UNKNOWN: "가중치 파일이지만, 알려지지 않은 신경망입니다.",
    MEMORY_EXCEEDED: "메모리가 부족합니다.",
  },
  questions: {
    title: "자주 묻는 질문 열 가지",
    list: {
      mixing: {
        ask: "깊이별(depthwise) 합성곱만으로는 왜 채널이 섞이지 않나요?",
        answer:
          "깊이별 필터는 각각 채널 하나만 읽습니다. 여기서는 점별 단계를 빼고 입력 채널 1의 값을 바꾸었습니다. 바로 아래에서 바뀐 것(초록색)은 채널 1뿐입니다. 점별 단계를 켜면 모든 출력이 바뀝니다.",
      },
      separable: {
        ask: "깊이별 합성곱과 깊이별 분리 합성곱은 무엇이 다른가요?",
        answer:
          "깊이별(depthwise) 합성곱은 앞의 절반으로, 채널마다 필터가 하나입니다. 깊이별 분리(depthwise separable) 합성곱은 두 단계 모두를 뜻합니다. 깊이별 합성곱 다음에 채널을 섞는 1×1 합성곱이 옵니다. 바로 위가 앞의 절반이고, 바로 아래가 뒤의 절반입니다.",
      },
      channels: {
        ask: "입력 채널 수와 출력 채널 수가 같아야 하나요?",
        answer:
          "깊이별 단계의 출력은 M에 깊이 승수(여기서는 2)를 곱한 만큼입니다. 점별 단계의 출력은 M과 상관없이 N개입니다. 여기서는 채널 2개가 6개로 바뀝니다.",
      },
      stride: {
        ask: "왜 D_F인가요? 스트라이드는 어떻게 되나요?",
        answer:
          "D_F는 출력의 한 변입니다. 필터는 출력의 D_F²개 위치마다 한 번씩 적용됩니다. 스트라이드가 2이면 창이 두 픽셀씩 움직여 D_F가 절반이 되고, 모든 계산량은 4분의 1이 됩니다.",
      },
      letters: {
        ask: "어느 것이 M이고 어느 것이 N인가요?",
        answer:
          "M은 들어가는 채널 수, N은 나오는 채널 수입니다. 여기서는 M이 3, N이 5입니다. 위와 아래에 있는 격자의 개수를 세어 보세요.",
      },
      ratio: {
        ask: "왜 1/N + 1/D_K²인가요? N이 커지면 왜 영향이 거의 없나요?",
        answer:
          "두 단계의 계산량을 표준 합성곱의 계산량으로 나누면 M과 D_F²이 약분됩니다. 점별 단계는 표준의 1/D_K², 깊이별 단계는 1/N입니다. 커널이 3×3이면 N이 아무리 커도 1/9은 남고, N이 64 이상이면 1/N은 그 7분의 1 이하입니다. 아래 작은 표를 보세요.",
      },
      speed: {
        ask: "연산은 9분의 1인데 왜 9배 빠르지 않나요?",
        answer:
          "깊이별 합성곱은 표준 합성곱보다 일은 훨씬 적지만 읽는 메모리는 비슷해서, 메모리를 기다리기 쉽습니다. 얼마나 드러나는지는 크기와 계산 방법에 따라 다릅니다. 여기서 두 신경망을 재어 보고, 한계 대비 비율과 층마다 바이트당 연산 횟수를 비교해 보세요.",
      },
      alpha: {
        ask: "α, ρ, 깊이 승수(depth multiplier)는 각각 무엇인가요?",
        answer:
          "α는 모든 층을 좁게 만듭니다. M과 N이 αM과 αN이 됩니다. ρ는 입력 사진을 작게 만듭니다. 깊이 승수는 이 둘과 달리, 깊이별 단계에서 채널 하나가 내는 출력의 수입니다. Keras에서는 α의 이름이 alpha이고 깊이 승수의 이름이 depth_multiplier이지만, TensorFlow-Slim에서는 α의 이름이 depth_multiplier입니다.",
      },
      macs: {
        ask: "MAC인가요, FLOP인가요?",
        answer:
          "곱셈-덧셈은 곱셈 한 번과 덧셈 한 번입니다. 논문과 MAC, 그리고 많은 논문의 “FLOPs”에서는 이것을 1로 셉니다. 하드웨어 제조사는 2로 셉니다. 아래에서 세는 규칙을 바꾸면 신경망은 그대로인데 숫자만 바뀝니다.",
      },
      memory: {
        ask: "연산은 줄었는데 메모리는 왜 더 쓰나요?",
        answer:
          "두 단계 사이에 특징 맵이 하나 더 있습니다. 그래서 모든 층의 활성값을 더하면 더 많고, 학습할 때는 그것을 모두 간직합니다. 실행할 때 한 번에 필요한 메모리는 같습니다. 아래 두 줄에서 두 신경망을 비교해 보세요.",
      },
    },
  },
  why: {
    lead: "합성곱은 둘로 나눌 수 있습니다. 채널마다 필터를 하나씩 적용한 다음, 1×1 합성곱으로 채널을 섞습니다. 아래 두 경로는 숫자 하나까지 같은 출력을 만듭니다. 여기서 쓰는 표준 커널은 다른 두 커널의 곱이며, 모든 표준 커널을 이렇게 나눌 수 있는 것은 아닙니다. 한 단계씩 따라가며 세어 보세요.",
    settings: "크기",
    kernelSize: "커널의 한 변",
    inputChannels: "입력 채널",
    filters: "출력 채널",
    size: "입력의 한 변",
    outputSide: (side) => `출력의 한 변: D_F = ${side}`,
    stride: "스트라이드",
    padding: "패딩",
    same: "same: 둘레에 0",
    valid: "valid: 없음",
    multiplier: "깊이 승수",
    cursor: "두 경로를 한 단계씩",
    first: "처음으로",
    back: "곱셈 하나 뒤로",
    play: "재생",
    pause: "멈춤",
    next: "다음 곱셈",
    nextCell: "다음 출력 칸",
    backCell: "이전 출력 칸",
    last: "끝으로",
    scrub: "진행 위치",
    pace: "속도",
    paces: { slow: "느리게", usual: "보통", fast: "빠르게" },
    standard: "표준 합성곱",
    pair: "깊이별 분리 합성곱",
    depthwiseStep: "1. 깊이별(depthwise): 채널마다 필터 하나",
    pointwiseStep: "2. 점별(pointwise): 1×1로 채널을 섞음",
    alone: "깊이별 합성곱만",
    input: (channel) => `입력, 채널 ${channel}`,
    kernelOf: (channel, filter) => `출력 ${filter} 커널, 채널 ${channel}`,
    depthwiseKernel: (channel) => `채널 ${channel} 커널`,
    between: (channel) => `깊이별, 채널 ${channel}`,
    pointwiseKernel: (filter) => `출력 ${filter} 1×1 커널`,
    output: (channel) => `출력, 채널 ${channel}`,
    cell: (row, column, filter) => `출력 칸: 행 ${row}, 열 ${column}, 채널 ${filter}`,
    product: (value, weight, product, sum) => `${value} × ${weight} = ${product}; 지금까지의 합 ${sum}`,
    notYet: "이 칸에서는 아직 곱한 것이 없습니다.",
    finished: (value) => `끝: ${value}.`,
    waits: (value) => `끝: ${value}. 다른 경로를 기다립니다.`,
    doneHere: "이 위치의 계산은 끝났습니다.",
    already: "이 위치의 깊이별 단계는 이미 끝났고, 모든 출력 채널에 함께 쓰입니다.",
    made: (count, all) => `곱셈 ${all}회 중 ${count}회`,
    ofAll: (count, all) => `${count} / ${all}`,
    ratio: "비율",
    inAll: (sum) => `전체: ${sum}.`,
    soFar: (sum) => `지금까지: ${sum}.`,
    multiplied: (multiplier) => `(깊이 승수) = ${multiplier}. 두 단계의 계산량이 모두 그 배수만큼 늘어납니다.`,
    mixing: "점별 단계",
    mixingOn: "켬: 채널을 섞음",
    mixingOff: "끔: 깊이별 합성곱만",
    change: "입력 채널 하나 바꾸기",
    changeNone: "없음",
    channel: (channel) => `채널 ${channel}`,
    changedSentence: (input, outputs) => `값이 바뀐 입력: ${input}. 달라진 출력: ${outputs}.`,
    legend: "파란 테두리는 창, 주황색 칸은 지금 곱하는 값입니다.",
  },
  asTable: "표로 보기",
};
