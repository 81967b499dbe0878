package nnnoiseless

import (
	"math"
	"math/rand"
	"sync"
	"testing"
)

// Of samples as 16-bit sound has them.
func power(samples []float32) (sum float64) {
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return sum / float64(len(samples))
}

// A vowel: pulses of a voice through two resonances, louder and softer as syllables are.
func voice(n int) []float32 {
	samples := make([]float32, n)
	var first, second [2]float64
	resonance := func(state *[2]float64, hertz, in float64) float64 {
		r := math.Exp(-math.Pi * 90 / 48000)
		out := in + 2*r*math.Cos(2*math.Pi*hertz/48000)*state[0] - r*r*state[1]
		state[1], state[0] = state[0], out
		return out
	}
	for i := range samples {
		pulse := 0.0
		if i%(48000/140) == 0 {
			pulse = 500 * (1 + math.Sin(2*math.Pi*4*float64(i)/48000))
		}
		samples[i] = float32(resonance(&second, 1100, resonance(&first, 700, pulse)) / 20)
	}
	return samples
}

func noise(n int, loud float64) []float32 {
	random := rand.New(rand.NewSource(1))
	samples := make([]float32, n)
	for i := range samples {
		samples[i] = float32(random.NormFloat64() * loud)
	}
	return samples
}

// What is left of a sound, and how sure the library is that somebody speaks, each of the second half: it has to find its way first.
func denoised(t *testing.T, samples []float32) (out []float32, speech float64) {
	frame := int(RnnoiseGetFrameSize())
	if frame != 480 {
		t.Fatalf("frames of %d samples", frame)
	}
	state := RnnoiseCreate(nil)
	defer RnnoiseDestroy(state)
	out = make([]float32, len(samples))
	frames := len(samples) / frame
	for n := 0; n < frames; n++ {
		p := RnnoiseProcessFrame(state, &out[n*frame], &samples[n*frame])
		if n >= frames/2 {
			speech += float64(p) / float64(frames-frames/2)
		}
	}
	return out[len(out)/2:], speech
}

func TestNoiseGoesAndVoiceStays(t *testing.T) {
	const length = 480 * 300
	hiss, spoken := noise(length, 500), voice(length)
	rest, speech := denoised(t, hiss)
	if left := power(rest) / power(hiss); left > 0.05 || speech > 0.6 {
		t.Errorf("of noise %.3f is left, speech %.2f", left, speech)
	}
	both := make([]float32, length)
	for i := range both {
		both[i] = spoken[i] + hiss[i]/20
	}
	rest, speech = denoised(t, both)
	if left := power(rest) / power(spoken[length/2:]); left < 0.5 || left > 1.5 || speech < 0.8 {
		t.Errorf("of a voice %.2f is left, speech %.2f", left, speech)
	}
}

func TestStatesAreApart(t *testing.T) {
	hiss := noise(480*50, 3000)
	want, _ := denoised(t, hiss)
	var wait sync.WaitGroup
	for n := 0; n < 8; n++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			got, _ := denoised(t, hiss)
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("sample %d is another", i)
					return
				}
			}
		}()
	}
	wait.Wait()
}
