package messages

import (
	"slices"
	"sync"
	"time"
)

// Message is one message as clients see it.
type Message struct {
	ID        int64     `json:"id"`
	Content   string    `json:"content"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
}

// maxMessages bounds the memory: of more messages, the oldest are dropped.
const maxMessages = 1000

// store keeps the latest messages in memory. Its methods may be called concurrently.
type store struct {
	mu       sync.Mutex // guards the following
	messages []Message
	lastID   int64
}

// newStore has two messages in it, so that there is something to read at once.
func newStore() *store {
	s := &store{}
	s.add("Test Message 1", "admin")
	s.add("Test Message 2", "admin")
	return s
}

func (s *store) add(content, author string) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	m := Message{ID: s.lastID, Content: content, CreatedBy: author, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)}
	if len(s.messages) == maxMessages {
		s.messages = slices.Delete(s.messages, 0, 1)
	}
	s.messages = append(s.messages, m)
	return m
}

// list returns the messages, the oldest first.
func (s *store) list() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}
