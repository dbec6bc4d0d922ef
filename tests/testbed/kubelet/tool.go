package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// runTool asks what a program in a pod would do and does it. TESTBED_CONTAINER says where it runs:
// http://127.0.0.1:PORT/CLUSTER NAMESPACE POD CONTAINER.
func runTool(called string, arguments []string) int {
	where := strings.Fields(os.Getenv("TESTBED_CONTAINER"))
	if len(where) != 4 {
		fmt.Fprintf(os.Stderr, "%s: TESTBED_CONTAINER does not say which container this is\n", called)
		return 125
	}
	question := Question{Namespace: where[1], Pod: where[2], Container: where[3], Command: append([]string{called}, arguments...)}
	question.Env = map[string]string{}
	for _, variable := range os.Environ() {
		if key, value, found := strings.Cut(variable, "="); found {
			question.Env[key] = value
		}
	}
	if about, err := os.Stdin.Stat(); err == nil && about.Mode()&os.ModeNamedPipe != 0 {
		stdin, err := io.ReadAll(os.Stdin)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", called, err)
			return 125
		}
		question.Stdin = string(stdin)
	}
	answer, err := asker{base: where[0]}.ask(context.Background(), "/tool", question)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", called, err)
		return 125
	}
	fmt.Fprint(os.Stdout, answer.Stdout)
	fmt.Fprint(os.Stderr, answer.Stderr)
	return answer.ExitCode
}
