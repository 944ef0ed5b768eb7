namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds to or changes the arguments when a resource starts or is published.</summary>
public class CommandLineArgsCallbackAnnotation : IResourceAnnotation
{
    public CommandLineArgsCallbackAnnotation(Action<IList<object>> callback) : this(context =>
    {
        callback(context.Args);
        return Task.CompletedTask;
    })
    {
    }

    public CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback) => Callback = callback;

    public Func<CommandLineArgsCallbackContext, Task> Callback { get; }
}
