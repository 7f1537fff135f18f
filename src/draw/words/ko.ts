/**
 * What pictures say in Korean. No particle stands behind what is put in: 은 or 는, 이 or 가 follow the sound of a word,
 * and that of a number or a name is not known.
 */

import type { PictureWords } from "./en.ts";

export const KO = {
  percent: (number: string) => `${number}%`,
  noun: {
    layer: "층",
    kind: "종류",
    network: "신경망",
    input: "입력",
    output: "출력",
    stride: "스트라이드",
    share: "비율",
    top1: "top-1",
    multAdds: "곱셈-덧셈",
    parameters: "매개변수",
    formula: "식",
    what: "항목",
  },
  operations: {
    "mult-adds": "곱셈-덧셈",
    MACs: "MAC",
    flops: "FLOP",
    "floating point operations": "부동소수점 연산",
  },
  kind: {
    standard: "표준 합성곱",
    depthwise: "깊이별(depthwise) 합성곱",
    pointwise: "점별(pointwise) 합성곱",
    dense: "완전 연결",
    other: "그 밖의 층",
  },

  cost: {
    title: (network: string) => `층별 비용: ${network}`,
    convention: (name: string) => `계산 기준: ${name}`,
    total: (operations: string, word: string, parameters: string) =>
      `${word} ${operations}회, 매개변수 ${parameters}개`,
    totalParameters: (parameters: string) => `매개변수 ${parameters}개 (이 기준에서는 연산을 세지 않음)`,
    free: (count: string) => `표시하지 않음: 이 기준에서 비용이 없는 ${count}.`,
    layers: (_count: number, written: string) => `층 ${written}개`,
    rest: (layers: string) => `비용이 더 적은 ${layers}`,
    nothing: "이 기준에서 비용이 드는 층이 없습니다.",
    description: (layers: string, largest: string, share: string) =>
      `층마다 막대 하나, 모두 ${layers}. 비용이 가장 큰 층: ${largest}, 비율 ${share}.`,
  },

  network: {
    title: (network: string) => `층별로 본 신경망: ${network}`,
    description: (layers: string, pairs: string) =>
      `층마다 상자 하나를 실행 순서대로 그렸습니다. 너비는 채널 수, 높이는 특징 맵의 높이입니다. 그려진 것: ${layers}. ${pairs}.`,
    pairs: (count: number, written: string) =>
      count === 0
        ? "깊이별 분리 합성곱 쌍이 없습니다"
        : `깊이별 층과 바로 뒤의 점별 층으로 이루어진 분리 합성곱 쌍: ${written}쌍`,
    measures: "너비: 채널 수. 높이: 특징 맵의 높이.",
    stride: "↓2: 스트라이드 2",
    pair: "같은 선 위의 쌍: 깊이별 분리 합성곱",
    pool: "풀링과 그 밖의 층",
    dense: "완전 연결 (크기는 비례하지 않음)",
    sum: "+, ×: 앞선 층의 출력과 더하거나 곱함. 갈라지는 연결은 그리지 않고, 층을 실행 순서대로 늘어놓음",
    hidden: (kinds: string) => `형태를 바꾸지 않아 그리지 않음: ${kinds}.`,
    unseen: {
      batchNorm: (count: string) => `배치 정규화 ${count}개`,
      activation: (count: string) => `활성화 ${count}개`,
      softmax: (count: string) => `소프트맥스 ${count}개`,
    },
    more: (layers: string) => `자리가 없어 그리지 않음: 나머지 ${layers}.`,
  },

  separable: {
    title: "표준 합성곱, 그리고 이를 대신하는 분리 합성곱 쌍",
    standard: (filters: string, kernel: string, channels: string) =>
      `표준 합성곱: ${kernel} × ${kernel} × ${channels} 필터 ${filters}개`,
    depthwise: (filters: string, kernel: string) =>
      `깊이별(depthwise) 합성곱: ${kernel} × ${kernel} × 1 필터 ${filters}개`,
    pointwise: (filters: string, channels: string) => `점별(pointwise) 합성곱: 1 × 1 × ${channels} 필터 ${filters}개`,
    count: (multAdds: string) => `곱셈-덧셈 ${multAdds}회`,
    sum: (multAdds: string) => `깊이별 + 점별: 곱셈-덧셈 ${multAdds}회`,
    ratio: (share: string, times: string) => `표준 합성곱 대비 ${share} (${times}분의 1)`,
    ratioMore: (share: string) => `표준 합성곱 대비 ${share}: 이 경우에는 줄어들지 않습니다`,
    formula: (formula: string, numbers: string, value: string) => `${formula} = ${numbers} = ${value}`,
    sizes: (output: string, side: string) => `출력의 한 변 D_F = ${output}; 입력의 한 변: ${side}`,
    side: (side: string) => `출력과 입력의 한 변 D_F = ${side}`,
    multiplier: (multiplier: string) => `채널당 깊이별 필터 수 μ = ${multiplier}`,
    description: (standard: string, pair: string) =>
      `표준, 깊이별, 점별 합성곱의 필터를 상자로 그렸습니다. 필요한 곱셈-덧셈: 표준 합성곱 ${standard}회, 분리 합성곱 쌍 ${pair}회.`,
  },

  front: {
    title: { imagenet: "ImageNet 정확도와 곱셈-덧셈 횟수", cifar10: "CIFAR-10 정확도와 곱셈-덧셈 횟수" },
    onFront: "파레토 경계: 곱셈-덧셈과 매개변수가 더 적으면서 이만큼 정확한 신경망이 없음",
    offFront: "파레토 경계 밖",
    isOnFront: "파레토 경계",
    fits: "예산 안",
    tooMuch: "예산 초과",
    best: (name: string, accuracy: string, multAdds: string) =>
      `예산 안에서 가장 정확한 신경망: ${name}, 정확도 ${accuracy}, 곱셈-덧셈 ${multAdds}회`,
    bounds: (bounds: string) => `예산: ${bounds}`,
    bound: {
      multAdds: (count: string) => `곱셈-덧셈 ${count}회 이하`,
      parameters: (count: string) => `매개변수 ${count}개 이하`,
      bytes: (count: string) => `가중치 ${count}바이트 이하`,
      activationBytes: (count: string) => `활성값 ${count}바이트 이하`,
    },
    nothingFits: "예산에 맞는 신경망이 없습니다.",
    description: (networks: string, front: string) =>
      `신경망 ${networks}개를 점으로 나타냈습니다. 가로축은 곱셈-덧셈 횟수(로그 축)입니다. 곱셈-덧셈, 매개변수, 정확도로 본 파레토 경계의 신경망: ${front}개.`,
  },

  accuracy: {
    title: {
      imagenet: { multAdds: "ImageNet 정확도와 곱셈-덧셈 횟수", parameters: "ImageNet 정확도와 매개변수 수" },
      cifar10: { multAdds: "CIFAR-10 정확도와 곱셈-덧셈 횟수", parameters: "CIFAR-10 정확도와 매개변수 수" },
    },
    ofAlpha: "같은 해상도, 여러 너비 α",
    ofRho: "같은 너비 α, 여러 해상도",
    others: "얕은 신경망, 표준 합성곱 신경망",
    description: (networks: string) =>
      `신경망 ${networks}개를 점으로 나타냈고, 이름은 너비 α와 입력의 한 변입니다. 선은 해상도가 같은 신경망끼리, 너비가 같은 신경망끼리 잇습니다.`,
  },

  axis: {
    multAdds: "곱셈-덧셈 횟수 (로그 축)",
    parameters: "매개변수 수 (로그 축)",
    top1: "top-1 정확도",
  },
  source: {
    imagenet: "TF-slim이 공개한 신경망과 정확도",
    cifar10: "이 라이브러리로 학습하고 측정함",
  },
  yes: "예",
  no: "아니요",
  nothingMeasured: "아직 측정된 것이 없습니다.",
} satisfies PictureWords;
