using System.Net.Http.Headers;

namespace OrleansLeases.Client.Internal;

/// <summary>Puts the credential of the moment into each request. Thread-safe.</summary>
/// <param name="credential">Finds it.</param>
internal sealed class CredentialHandler(Func<CancellationToken, ValueTask<string>> credential) : DelegatingHandler
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Set anew by each attempt: a handler of the application's may have repeated one that was refused.
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await FindAsync(cancellationToken).ConfigureAwait(false));
        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<string> FindAsync(CancellationToken cancellationToken)
    {
        string? token;
        try
        {
            // It ends with the call, also where the application does not heed that.
            token = await credential(cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new CredentialException("it did not come before the call was over.");
        }
        catch (Exception error)
        {
            throw new CredentialException($"{error.GetType().Name}: {error.Message}");
        }

        if (BearerToken.IsValid(token)) return token;
        throw new CredentialException($"what was found is no bearer token; {BearerToken.Form}.");
    }
}

/// <summary>There was no credential to send a request with: no server has seen it.</summary>
internal sealed class CredentialException(string reason) : Exception($"The credential of this client cannot be had: {reason}");
