namespace NanoAspire.Router.Requests;

internal enum InferenceEndpoint
{
    ChatCompletions,
    Completions,
}
