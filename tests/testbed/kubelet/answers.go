package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Question is what is asked of the testbed. Command and Stdin are empty for logs; Env is a program's inside a pod.
type Question struct {
	Namespace string            `json:"namespace"`
	Pod       string            `json:"pod"`
	Container string            `json:"container"`
	Command   []string          `json:"command,omitempty"`
	Stdin     string            `json:"stdin,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
}

// Answer is what a command did, or in Stdout what a container has logged.
type Answer struct {
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
	ExitCode int    `json:"exit_code"`
	// Ended says that a container will log no more.
	Ended bool `json:"ended"`
}

// refused is an answer with a status of HTTP that is not 200: no such container, no such program.
type refused struct {
	status int
	text   string
}

func (r refused) Error() string { return r.text }

type asker struct{ base string }

func (a asker) ask(ctx context.Context, path string, question Question) (Answer, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("the testbed does not answer: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("the testbed's answer broke off: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return Answer{}, refused{response.StatusCode, strings.TrimSpace(string(text))}
	}
	var answer Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		return Answer{}, fmt.Errorf("the testbed's answer is no JSON: %w", err)
	}
	return answer, nil
}
