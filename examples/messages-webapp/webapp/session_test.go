package webapp

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStoreForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStore(10, time.Hour, 12*time.Hour)
		s := st.add(&session{})
		for range 12 { // in use all the time
			assert.Same(t, s, st.get(s.id))
			time.Sleep(time.Hour - time.Second)
		}
		assert.Same(t, s, st.get(s.id))
		time.Sleep(12 * time.Second)
		assert.Nil(t, st.get(s.id), "its lifetime is over")

		s = st.add(&session{})
		time.Sleep(time.Hour - time.Second)
		other := st.add(&session{})
		time.Sleep(time.Second)
		assert.Nil(t, st.get(s.id), "it rested too long")
		assert.Same(t, other, st.get(other.id))
		assert.Len(t, st.byID, 1)
		assert.Equal(t, 1, st.order.Len(), "swept, not only hidden")

		guests := newStore(10, time.Hour, 0)
		s = guests.add(&session{})
		for range 100 {
			time.Sleep(30 * time.Minute)
			assert.Same(t, s, guests.get(s.id))
		}
	})
}

func TestStoreIsBounded(t *testing.T) {
	st := newStore(3, time.Hour, 0)
	first, second, third := st.add(&session{}), st.add(&session{}), st.add(&session{})
	st.get(first.id)
	fourth := st.add(&session{})
	assert.Nil(t, st.get(second.id), "the one that rested longest")
	for _, s := range []*session{first, third, fourth} {
		assert.Same(t, s, st.get(s.id))
	}
	st.remove(first)
	st.remove(first)
	assert.Nil(t, st.get(first.id))
	assert.Len(t, st.byID, 2)
	assert.Equal(t, 2, st.order.Len())
}

func TestStrangersSignNobodyOut(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	for range maxGuests + 10 {
		st.app.guests.add(&session{})
	}
	assert.Len(t, st.app.guests.byID, maxGuests)
	b.say("still here").atHome(t, "done: Your message is posted.")
}

func TestSessionsAreUsedConcurrently(t *testing.T) {
	st := newStore(50, time.Hour, time.Hour)
	var users sync.WaitGroup
	for n := range 4 {
		users.Go(func() {
			for i := range 200 {
				s := st.add(&session{})
				s.addFlash(done, fmt.Sprint(n, i))
				s.keep("text")
				st.get(s.id)
				s.takeFlashes()
				if i%3 == 0 {
					st.remove(s)
				}
			}
		})
	}
	users.Wait()
	assert.LessOrEqual(t, len(st.byID), 50)
	assert.Equal(t, len(st.byID), st.order.Len())
}

func TestFlashesAreBounded(t *testing.T) {
	s := &session{}
	for i := range 10 {
		s.addFlash(done, fmt.Sprint(i))
	}
	assert.Equal(t, []flash{{done, "6"}, {done, "7"}, {done, "8"}, {done, "9"}}, s.takeFlashes())
	assert.Empty(t, s.takeFlashes())
}
